package decode

import (
	"net/http"
	"strconv"
)

// chatCompletions follows the OpenAI API reference, with the members that vLLM
// and SGLang add (reasoning, reasoning_content, prompt_logprobs, token_ids).
func chatCompletions() *API {
	function := object(map[string]*rule{
		"name":      text(ToolName),
		"arguments": text(ToolArguments),
	})
	call := object(singles(map[string]*rule{
		"index":    {mark: markIndex, single: true},
		"function": function,
		"custom": object(map[string]*rule{
			"name":  text(CustomToolName),
			"input": text(CustomToolInput),
		}),
	}, "id", "type"))
	tool := object(map[string]*rule{
		"type": {single: true},
		"function": object(map[string]*rule{
			"name":        text(ToolName),
			"description": text(ToolDescription),
		}),
	})
	media := &rule{unreadable: true}
	message := object(singles(map[string]*rule{
		"name":              text(Name),
		"content":           chatContent(),
		"refusal":           text(Refusal),
		"reasoning":         text(Reasoning),
		"reasoning_content": text(ReasoningContent),
		"tool_calls":        list(coordinateB, call),
		"function_call":     function,
		"audio":             media,
		"images":            media,
	}, "role", "tool_call_id"))
	return &API{
		Name:   "chat_completions",
		Method: http.MethodPost,
		Path:   "/v1/chat/completions",
		request: object(map[string]*rule{
			"messages": list(coordinateA, message),
			"tools":    list(coordinateB, tool),
			// vLLM and SGLang take these: what has been turned into numbers,
			// and a program that makes words of words.
			"input_ids":        media,
			"input_embeds":     media,
			"prompt_token_ids": media,
			"prompt_embeds":    media,
			"image_data":       media,
			"audio_data":       media,
			"video_data":       media,
			"multi_modal_data": media,
			"chat_template":    media,
			"audio":            media, // asks for a spoken answer
			"prediction": object(map[string]*rule{
				"type": {single: true},
				"content": {
					kind:   Prediction,
					items:  &rule{kind: Prediction, members: map[string]*rule{"type": {single: true}, "text": text(Prediction)}},
					joined: true,
				},
			}),
		}),
		response: chatAnswer("message", message),
		event:    chatAnswer("delta", message),
		unknown:  unknown(),
		ending:   chatEnding,
	}
}

// chatContent is the content of a message: a string or a list of parts. Models
// are fed refusals among the parts, and parts that are strings (vLLM takes
// them), as one text with the others.
func chatContent() *rule {
	part := &rule{
		kind: Content,
		members: map[string]*rule{
			"type":    {mark: markType, single: true},
			"text":    text(Content),
			"refusal": text(Content),
		},
		types: []string{`"text"`, `"refusal"`},
	}
	// A server may also take one part for the list of it.
	return &rule{kind: Content, items: part, joined: true, members: part.members, types: part.types, untyped: true}
}

// chatAnswer is a whole response, whose choices hold a message, or one event
// of a stream, whose choices hold what is new in it.
func chatAnswer(member string, message *rule) *rule {
	names := []string{"token", "logprob", "bytes"}
	token := singles(map[string]*rule{}, names...)
	token["token"] = text(Logprobs)
	token["top_logprobs"] = list(noCoordinate, object(singles(map[string]*rule{}, names...)))
	tokens := list(noCoordinate, object(token))
	choice := singles(map[string]*rule{
		"index":         {mark: markIndex, single: true},
		member:          message,
		"finish_reason": {mark: markFinish, single: true},
		"logprobs": {
			members: map[string]*rule{"content": tokens, "refusal": tokens},
			shadow:  true,
		},
		"token_ids": {shadow: true},
	}, "stop_reason", "matched_stop")
	usage := singles(map[string]*rule{}, "prompt_tokens", "completion_tokens", "total_tokens",
		"prompt_tokens_details", "completion_tokens_details")
	return object(singles(map[string]*rule{
		"id":               {mark: markID, single: true},
		"created":          {mark: markCreated, single: true},
		"model":            {mark: markModel, single: true},
		"choices":          list(coordinateA, object(choice)),
		"usage":            object(usage),
		"prompt_logprobs":  {shadow: true},
		"prompt_token_ids": {shadow: true},
	}, "object", "system_fingerprint", "service_tier"))
}

// chatEnding ends a stream of chat completion chunks: one chunk that closes
// every choice the client has seen open with finish_reason content_filter, then
// an event with the error object and no end mark. Tried with the OpenAI SDKs
// for Go and Python: both raise an API error on the second event; error and
// finish_reason in one event would lose the chunk.
func chatEnding(dst []byte, c client, object []byte) []byte {
	names := [3]string{`{"id":`, `,"object":"chat.completion.chunk","created":`, `,"model":`}
	defaults := [3]string{`""`, `0`, `""`}
	open := 0
	for _, choice := range c.choices {
		if choice.closed {
			continue
		}
		if open++; open == 1 {
			dst = append(dst, "data: "...)
			for i, name := range names {
				dst = append(dst, name...)
				if c.envelope[i] != nil {
					dst = append(dst, c.envelope[i]...)
				} else {
					dst = append(dst, defaults[i]...)
				}
			}
			dst = append(dst, `,"choices":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"index":`...)
		dst = strconv.AppendInt(dst, int64(choice.index), 10)
		dst = append(dst, `,"delta":{},"finish_reason":"content_filter"}`...)
	}
	if open > 0 {
		dst = append(dst, "]}\n\n"...)
	}
	dst = append(dst, "data: "...)
	dst = append(dst, object...)
	return append(dst, "\n\n"...)
}
