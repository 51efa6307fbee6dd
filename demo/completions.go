package demo

import (
	"encoding/json"
	"net/http"
)

// maxPrompts bounds the prompts of one request.
const maxPrompts = 64

// completionsRequest holds the members of a completion request that the model
// heeds. A suffix is counted, and changes nothing in the answer.
type completionsRequest struct {
	Model         string  `json:"model"`
	Prompt        texts   `json:"prompt"`
	Suffix        string  `json:"suffix"`
	N             *int    `json:"n"`
	Echo          bool    `json:"echo"`
	Stream        bool    `json:"stream"`
	StreamOptions options `json:"stream_options"`
	MaxTokens     *int    `json:"max_tokens"`
	Logprobs      *int    `json:"logprobs"` // how many alternatives: 0 gives the words alone
}

// texts is a string or a list of strings. It is empty where it is anything
// else, such as token ids.
type texts []string

// UnmarshalJSON reads either form.
func (t *texts) UnmarshalJSON(b []byte) error {
	var one *string
	var list []string
	if json.Unmarshal(b, &one) == nil && one != nil {
		*t = texts{*one}
	} else if json.Unmarshal(b, &list) == nil {
		*t = list
	} else {
		*t = nil
	}
	return nil
}

// continuation is what becomes of one prompt: each of its choices is the same.
type continuation struct {
	prompt string // where it is echoed
	answer
}

// continuations answers the prompts, in their order.
func (r *completionsRequest) continuations() ([]continuation, int, *fault) {
	n, f := choices(r.N)
	if f != nil {
		return nil, 0, f
	}
	if len(r.Prompt) == 0 || len(r.Prompt) > maxPrompts {
		return nil, 0, invalid("prompt", "prompt must be a string or a list of 1 to 64 strings: token ids are not read.")
	}
	if r.Logprobs != nil && (*r.Logprobs < 0 || *r.Logprobs > 5) {
		return nil, 0, invalid("logprobs", "logprobs must be from 0 to 5.")
	}
	var all []continuation
	for _, prompt := range r.Prompt {
		q := &question{turns: []turn{{roleUser, text(prompt)}}}
		if f := q.setLimit("max_tokens", r.MaxTokens); f != nil {
			return nil, 0, f
		}
		c := continuation{answer: reply(q)}
		c.promptWords += count(r.Suffix)
		if r.Echo {
			c.prompt = prompt
		}
		all = append(all, c)
	}
	return all, n, nil
}

func (s *server) completions(w http.ResponseWriter, r *http.Request) *fault {
	var req completionsRequest
	if f := read(w, r, &req); f != nil {
		return f
	}
	all, n, f := req.continuations()
	if f != nil {
		return f
	}
	// A stream's chunks have the same form as the whole.
	h := s.head("cmpl-", "text_completion", req.Model)
	if req.Stream {
		streamCompletions(s.events(r.Context(), w), h, &req, all, n)
		return nil
	}
	writeJSON(w, http.StatusOK, completionsAnswer(h, &req, all, n))
	return nil
}
