package decode

import "net/http"

// completions follows the OpenAI API reference ("Completions", legacy), with
// what vLLM and SGLang add.
func completions() *API {
	// Each prompt of a list is answered by itself.
	return &API{
		Name:   "completions",
		Method: http.MethodPost,
		Path:   "/v1/completions",
		request: object(served(map[string]*rule{
			"prompt": prompts(&rule{kind: Prompt, other: alien}),
			"suffix": text(Suffix),
		})),
		response: completion(),
		event:    completion(),
		unknown:  unknown(),
		ending:   chunkEnding("text_completion", `"text":""`),
	}
}

// prompts is a prompt or a list of them; one is a string, or token ids, or what
// item describes. Objects are not: llama.cpp takes them with media in them.
func prompts(item *rule) *rule {
	item.numeric, item.items = TokenIDs, &rule{numeric: TokenIDs, other: alien}
	return &rule{kind: Prompt, numeric: TokenIDs, numbers: coordinateA, items: item, other: alien}
}

// completion is a whole response or a chunk of one, which have the same form.
func completion() *rule {
	choice := singles(map[string]*rule{
		"index":            {mark: markIndex, single: true},
		"text":             text(Content),
		"reasoning":        text(Reasoning),
		"finish_reason":    {mark: markFinish, single: true},
		"logprobs":         {shadow: true, members: map[string]*rule{"tokens": {items: text(Logprobs)}}},
		"prompt_logprobs":  {shadow: true},
		"token_ids":        {shadow: true},
		"prompt_token_ids": {shadow: true},
	}, "stop_reason", "matched_stop")
	return object(envelope(map[string]*rule{"choices": list(coordinateA, object(choice))}))
}
