package demo

import "net/http"

// chatRequest holds the members of a chat completion request that the model
// heeds.
type chatRequest struct {
	Model               string     `json:"model"`
	Messages            []turn     `json:"messages"`
	N                   *int       `json:"n"`
	Stream              bool       `json:"stream"`
	StreamOptions       options    `json:"stream_options"`
	Tools               []tool     `json:"tools"`
	ToolChoice          toolChoice `json:"tool_choice"`
	MaxTokens           *int       `json:"max_tokens"`
	MaxCompletionTokens *int       `json:"max_completion_tokens"`
	Logprobs            bool       `json:"logprobs"`

	choices int // N, or 1 where the request has none
}

type options struct {
	IncludeUsage bool `json:"include_usage"`
}

// question refuses what cannot be answered.
func (r *chatRequest) question() (*question, *fault) {
	if len(r.Messages) == 0 {
		return nil, invalid("messages", "The request needs at least one message.")
	}
	q := &question{turns: r.Messages, tools: functions(r.Tools), choice: r.ToolChoice}
	var f *fault
	if r.choices, f = choices(r.N); f != nil {
		return nil, f
	}
	if f := q.setLimit("max_tokens", r.MaxTokens); f != nil {
		return nil, f
	}
	// The newer name wins where a client sends both.
	if f := q.setLimit("max_completion_tokens", r.MaxCompletionTokens); f != nil {
		return nil, f
	}
	return q, q.checkTools()
}

func (s *server) chat(w http.ResponseWriter, r *http.Request) *fault {
	var req chatRequest
	if f := read(w, r, &req); f != nil {
		return f
	}
	q, f := req.question()
	if f != nil {
		return f
	}
	if req.Stream {
		s.streamChat(s.events(r.Context(), w), s.head("chatcmpl-", "chat.completion.chunk", req.Model), &req, reply(q))
		return nil
	}
	writeJSON(w, http.StatusOK, s.chatAnswer(s.head("chatcmpl-", "chat.completion", req.Model), &req, reply(q)))
	return nil
}
