package decode

import "net/http"

// embeddings follows the OpenAI API reference ("Embeddings"), with the messages
// that vLLM takes in place of the input. A response holds numbers, or the same
// in base64.
func embeddings() *API {
	tokens := &rule{numeric: TokenIDs}
	input := &rule{
		kind: Prompt, numeric: TokenIDs, numbers: coordinateA,
		items: &rule{kind: Prompt, numeric: TokenIDs, items: tokens},
	}
	return &API{
		Name:   "embeddings",
		Method: http.MethodPost,
		Path:   "/v1/embeddings",
		request: object(served(map[string]*rule{
			"input":    input,
			"messages": list(coordinateA, chatMessage()),
		})),
		response: object(envelope(map[string]*rule{})),
		failure:  OpenAIFailure,
	}
}
