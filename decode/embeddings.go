package decode

import "net/http"

// embeddings follows the OpenAI API reference ("Embeddings"), with the messages
// that vLLM takes in place of the input and as its items, the items of text and
// media that SGLang takes, and llama.cpp's other name for the input. A response
// holds numbers, or the same in base64.
func embeddings() *API {
	item := chatMessage()
	item.kind = Prompt
	item.members["text"], item.members["image"], item.members["video"] = text(Prompt), link(Images), link(Video)
	input := prompts(item)
	return &API{
		Name:   "embeddings",
		Method: http.MethodPost,
		Path:   "/v1/embeddings",
		request: object(served(map[string]*rule{
			"input":    input,
			"content":  input,
			"messages": listOnly(coordinateA, chatMessage()),
		})),
		response: object(envelope(map[string]*rule{})),
	}
}
