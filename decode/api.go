package decode

import "net/http"

// API describes one inspected endpoint. This list is the only one: the routes
// of the bootstrap, the processor and the documents are made from it.
type API struct {
	Name   string // of the API, fit for logs and labels
	Method string
	Path   string // exact; no query string goes with it

	request, response, event *rule
	ending                   func(dst []byte, c client, object []byte) []byte
}

// APIs returns the inspected endpoints.
func APIs() []*API {
	return []*API{chatCompletions()}
}

// Lookup returns the API of a request line. path is as the client sent it: one
// that differs in case, in a slash or by a query string is another path.
func Lookup(apis []*API, method, path string) (*API, bool) {
	for _, a := range apis {
		if a.Method == method && a.Path == path {
			return a, true
		}
	}
	return nil, false
}

// ReadRequest returns a reader of the API's request bodies, which are JSON.
func (a *API) ReadRequest(l Limits) Reader { return newBody(a.request, l) }

// ReadResponse returns a reader of the API's whole responses, which are JSON.
func (a *API) ReadResponse(l Limits) Reader { return newBody(a.response, l) }

// ReadStream returns a reader of the API's streamed responses: server-sent
// events as the HTML standard defines them, section 9.2.
func (a *API) ReadStream(l Limits) Reader { return newStream(a, l) }

// chatCompletions follows the OpenAI API reference, with the members that vLLM
// and SGLang add (reasoning, reasoning_content, prompt_logprobs, token_ids).
func chatCompletions() *API {
	call := object(map[string]*rule{
		"index": {mark: markIndex},
		"function": object(map[string]*rule{
			"name":      text(ToolName),
			"arguments": text(ToolArguments),
		}),
		"custom": object(map[string]*rule{
			"name":  text(CustomToolName),
			"input": text(CustomToolInput),
		}),
	})
	tool := object(map[string]*rule{
		"function": object(map[string]*rule{
			"name":        text(ToolName),
			"description": text(ToolDescription),
		}),
	})
	part := object(map[string]*rule{
		"type":    {mark: markType},
		"text":    text(Content),
		"refusal": text(Refusal),
	})
	part.types = []string{`"text"`, `"refusal"`}
	content := &rule{kind: Content, items: part, joined: true}
	media := &rule{unreadable: true}

	message := map[string]*rule{
		"role":              nil,
		"name":              text(Name),
		"content":           content,
		"refusal":           text(Refusal),
		"reasoning":         text(Reasoning),
		"reasoning_content": text(ReasoningContent),
		"tool_calls":        list(coordinateB, call),
		"function_call":     call.members["function"],
		"audio":             media,
		"images":            media,
	}
	tokens := list(noCoordinate, object(map[string]*rule{"token": text(Logprobs)}))
	choice := map[string]*rule{
		"index":         {mark: markIndex},
		"message":       object(message),
		"finish_reason": {mark: markFinish},
		"logprobs": {
			members: map[string]*rule{"content": tokens, "refusal": tokens},
			shadow:  true,
		},
		"token_ids": {shadow: true},
	}
	delta := map[string]*rule{
		"index":         {mark: markIndex},
		"delta":         object(message),
		"finish_reason": {mark: markFinish},
		"logprobs":      choice["logprobs"],
		"token_ids":     {shadow: true},
	}
	answer := func(choice map[string]*rule) *rule {
		return object(map[string]*rule{
			"id":               {mark: markID},
			"created":          {mark: markCreated},
			"model":            {mark: markModel},
			"object":           nil,
			"choices":          list(coordinateA, object(choice)),
			"prompt_logprobs":  {shadow: true},
			"prompt_token_ids": {shadow: true},
		})
	}
	return &API{
		Name:   "chat_completions",
		Method: http.MethodPost,
		Path:   "/v1/chat/completions",
		request: object(map[string]*rule{
			"messages": list(coordinateA, object(message)),
			"tools":    list(coordinateB, tool),
			"prediction": object(map[string]*rule{
				"content": {kind: Prediction, items: object(map[string]*rule{"text": text(Prediction)}), joined: true},
			}),
		}),
		response: answer(choice),
		event:    answer(delta),
		ending:   chatEnding,
	}
}
