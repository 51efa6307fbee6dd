package decode

import "net/http"

// chatCompletions follows the OpenAI API reference, with the members that vLLM
// and SGLang add (reasoning, reasoning_content, prompt_logprobs, token_ids).
func chatCompletions() *API {
	message := chatMessage()
	return &API{
		Name:   "chat_completions",
		Method: http.MethodPost,
		Path:   "/v1/chat/completions",
		request: object(served(map[string]*rule{
			"messages":           listOnly(coordinateA, message),
			"tools":              list(coordinateB, chatTool()),
			"audio":              opaque(Audio), // asks for a spoken answer
			"web_search_options": opaque(Hosted),
			"prediction": object(map[string]*rule{
				"type": {single: true},
				"content": {
					kind:   Prediction,
					items:  texts(Prediction),
					joined: true,
					other:  alien,
				},
			}),
		})),
		response: chatAnswer("message", message),
		event:    chatAnswer("delta", message),
		unknown:  unknown(),
		ending:   chunkEnding("chat.completion.chunk", `"delta":{}`),
	}
}

// chatMessage is a message of a request or of a response, or what is new of it.
func chatMessage() *rule {
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
	// vLLM takes a part of numbers as the reasoning.
	thought := func(k Kind) *rule {
		r := byType(0, map[string]*rule{"prompt_embeds": opaque(TokenIDs)})
		r.kind = k
		return r
	}
	message := object(singles(map[string]*rule{
		"name":              text(Name),
		"content":           chatContent(),
		"refusal":           text(Refusal),
		"reasoning":         thought(Reasoning),
		"reasoning_content": thought(ReasoningContent),
		"tool_calls":        list(coordinateB, call),
		"function_call":     function,
		"audio":             opaque(Audio),
		"images":            opaque(Images),
	}, "role", "tool_call_id"))
	message.items = opaque(alien) // several conversations in one request
	return message
}

// served adds the members of a request that vLLM, SGLang and LiteLLM take beside
// those of the reference: what has been turned into numbers, media, programs that
// make words of words, and what another server has or this one keeps.
func served(members map[string]*rule) map[string]*rule {
	for name, o := range map[string]Opaque{
		"input_ids": TokenIDs, "input_embeds": TokenIDs, "prompt_token_ids": TokenIDs, "prompt_embeds": TokenIDs,
		"embed_overrides": TokenIDs,
		"image_data":      Images, "audio_data": Audio, "video_data": Video, "multi_modal_data": Images | Audio | Video,
		"chat_template": Templates, "custom_logit_processor": Templates,
		"kv_transfer_params": Stored, "ec_transfer_params": Stored, "session_params": Stored,
		"bootstrap_host": Stored, "bootstrap_room": Stored, "prompt_id": Stored, "vector_store_ids": Hosted,
	} {
		members[name] = opaque(o)
	}
	members["chat_template_kwargs"] = object(map[string]*rule{"chat_template": opaque(Templates)})
	return members
}

// chatTool is one of the tools that a model may call. Others than these are run
// by the model's server.
func chatTool() *rule {
	described := object(map[string]*rule{
		"name":        text(ToolName),
		"description": text(ToolDescription),
	})
	return byType(Hosted, map[string]*rule{
		"function": object(map[string]*rule{"function": described}),
		"custom":   object(map[string]*rule{"custom": described}),
		"":         object(map[string]*rule{"function": described}),
	})
}

// chatAnswer is a whole response, whose choices hold a message, or one event
// of a stream, whose choices hold what is new in it.
func chatAnswer(member string, message *rule) *rule {
	names := []string{"token", "logprob", "bytes"}
	token := singles(nil, names...)
	token["token"] = text(Logprobs)
	token["top_logprobs"] = list(noCoordinate, object(singles(nil, names...)))
	tokens := list(noCoordinate, object(token))
	choice := singles(map[string]*rule{
		"index":         {mark: markIndex, single: true},
		member:          message,
		"finish_reason": {mark: markFinish, single: true},
		"logprobs": {
			members: map[string]*rule{"content": tokens, "refusal": tokens},
			shadow:  true,
		},
		"token_ids":          {shadow: true},
		"prompt_token_ids":   {shadow: true},
		"response_token_ids": {shadow: true},
		"meta_info":          {shadow: true},
	}, "stop_reason", "matched_stop")
	return object(envelope(map[string]*rule{"choices": list(coordinateA, object(choice))}))
}

// envelope adds the members that OpenAI's older responses have in common.
func envelope(members map[string]*rule) map[string]*rule {
	members["id"] = &rule{mark: markID, single: true}
	members["created"] = &rule{mark: markCreated, single: true}
	members["model"] = &rule{mark: markModel, single: true}
	members["usage"] = object(singles(nil, "prompt_tokens", "completion_tokens", "total_tokens",
		"prompt_tokens_details", "completion_tokens_details"))
	members["prompt_logprobs"] = &rule{shadow: true}
	members["prompt_token_ids"] = &rule{shadow: true}
	members["sglext"] = &rule{shadow: true}
	return singles(members, "object", "system_fingerprint", "service_tier")
}
