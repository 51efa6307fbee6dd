package decode

import (
	"maps"
	"net/http"
)

// responses follows the OpenAI API reference ("Responses" and its streaming
// events), as vLLM serves it.
func responses() *API {
	earlier := texts(Content)
	earlier.other = 0
	return &API{
		Name:   "responses",
		Method: http.MethodPost,
		Path:   "/v1/responses",
		request: object(served(map[string]*rule{
			"input":        {kind: Content, items: responseItem(true), numbers: coordinateA, other: alien},
			"instructions": only(Instructions),
			"tools":        list(coordinateB, responseTool()),
			// vLLM takes a conversation in the model's own form here.
			"previous_input_messages": listOnly(coordinateB, object(singles(map[string]*rule{
				"content": {kind: Content, items: earlier, joined: true},
			}, "role", "channel", "recipient", "content_type"))),
			// Their words are with the model's server only.
			"previous_response_id": opaque(Stored),
			"conversation":         opaque(Stored),
			"prompt":               opaque(Stored),
		})),
		joins:    true,
		response: response(),
		event:    responseEvent(),
		unknown:  unknown(),
		ending:   responsesEnding,
	}
}

// responseTool is one of the tools of a request. Those that the client runs are
// named here; the results of others never pass.
func responseTool() *rule {
	described := func() *rule {
		return object(map[string]*rule{
			"name":        text(ToolName),
			"description": text(ToolDescription),
		})
	}
	several := described()
	several.members["tools"] = list(noCoordinate, byType(Hosted, map[string]*rule{"function": described(), "custom": described()}))
	return byType(Hosted, map[string]*rule{
		"function": described(), "custom": described(), "": described(), "namespace": several,
		"local_shell": object(nil), "apply_patch": object(nil),
		"computer": object(nil), "computer_use_preview": object(nil),
	})
}

// response is a whole response, which repeats much of its request.
func response() *rule {
	return object(singles(map[string]*rule{
		"id":         {mark: markID, single: true},
		"created_at": {mark: markCreated},
		"model":      {mark: markModel, single: true},
		"output":     list(coordinateA, responseItem(false)),
		// vLLM repeats the conversation there if it is asked to.
		"input_messages":  {shadow: true},
		"output_messages": {shadow: true},
	}, "object", "status", "service_tier"))
}

// responseEvent is one event of a stream. What says again what other events said
// in pieces is complete.
func responseEvent() *rule {
	base := func() map[string]*rule {
		return singles(map[string]*rule{
			"sequence_number": {mark: markSequence},
			"output_index":    {mark: markA},
			"content_index":   {mark: markB},
			"summary_index":   {mark: markB},
			"command_index":   {mark: markB},
		}, "item_id", "obfuscation")
	}
	with := func(members map[string]*rule) *rule {
		maps.Copy(members, base())
		return object(members)
	}
	done := func(k Kind) *rule { return &rule{kind: k, complete: true} }
	item := responseItem(false)
	item.complete = true
	part := responsePart()
	part.complete = true
	thought := func(k Kind, complete bool) *rule {
		r := object(map[string]*rule{"type": {single: true}, "text": text(k)})
		r.complete = complete
		return r
	}
	all := response()
	all.complete = true
	over := func() *rule {
		r := with(map[string]*rule{"response": all})
		r.ends = true
		return r
	}
	closing := with(map[string]*rule{"item": item})
	closing.closes = true
	failed := with(map[string]*rule{})
	failed.closes = true // more may follow

	events := map[string]*rule{
		"response.created":     with(map[string]*rule{"response": all}),
		"response.queued":      with(map[string]*rule{"response": all}),
		"response.in_progress": with(map[string]*rule{"response": all}),
		"response.completed":   over(),
		"response.incomplete":  over(),
		"response.failed":      over(),
		"error":                failed,

		// Text that is there from the beginning goes on in deltas.
		"response.output_item.added":  with(map[string]*rule{"item": responseItem(false)}),
		"response.output_item.done":   closing,
		"response.content_part.added": with(map[string]*rule{"part": responsePart()}),
		"response.content_part.done":  with(map[string]*rule{"part": part}),

		"response.reasoning_summary_part.added": with(map[string]*rule{"part": thought(ReasoningContent, false)}),
		"response.reasoning_summary_part.done":  with(map[string]*rule{"part": thought(ReasoningContent, true)}),

		// vLLM's before 0.12.
		"response.reasoning_part.added": with(map[string]*rule{"part": thought(Reasoning, false)}),
		"response.reasoning_part.done":  with(map[string]*rule{"part": thought(Reasoning, true)}),

		"response.output_text.annotation.added":    with(map[string]*rule{"annotation": {complete: true}}),
		"response.shell_call_command.added":        with(map[string]*rule{"command": text(CustomToolInput)}),
		"response.shell_call_output_content.delta": with(map[string]*rule{}),
		"response.shell_call_output_content.done":  with(map[string]*rule{"output": {complete: true}}),

		"response.audio.delta":                         with(map[string]*rule{"delta": opaque(Audio)}),
		"response.image_generation_call.partial_image": with(map[string]*rule{"partial_image_b64": opaque(Images)}),
	}
	// Each of these comes in deltas, and then once more as a whole.
	for name, words := range map[string]struct {
		kind   Kind
		member string
	}{
		"output_text":                {Content, "text"},
		"refusal":                    {Refusal, "refusal"},
		"reasoning_text":             {Reasoning, "text"},
		"reasoning_summary_text":     {ReasoningContent, "text"},
		"audio.transcript":           {Content, "transcript"},
		"function_call_arguments":    {ToolArguments, "arguments"},
		"custom_tool_call_input":     {CustomToolInput, "input"},
		"mcp_call_arguments":         {ToolArguments, "arguments"},
		"code_interpreter_call_code": {CustomToolInput, "code"},
		"shell_call_command":         {CustomToolInput, "command"},
	} {
		events["response."+name+".delta"] = with(map[string]*rule{"delta": text(words.kind), "logprobs": {shadow: true}})
		events["response."+name+".done"] = with(map[string]*rule{words.member: done(words.kind), "logprobs": {shadow: true}})
	}
	r := byType(0, events)
	maps.Copy(r.members, base())
	return r
}
