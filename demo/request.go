package demo

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// maxChoices bounds n.
const maxChoices = 16

// request holds the members of a chat completion request that the model heeds.
// All others are ignored, as a model server does that is older than its client.
type request struct {
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
	limit   int // words of an answer; 0 means no limit
}

type options struct {
	IncludeUsage bool `json:"include_usage"`
}

// turn is one message of the conversation.
type turn struct {
	Role    string `json:"role"`
	Content text   `json:"content"`
}

// text is a message's content: a string, or the text parts of an array joined
// by newlines.
type text string

// UnmarshalJSON reads either form of content; null is no text.
func (t *text) UnmarshalJSON(b []byte) error {
	if b[0] != '[' {
		return json.Unmarshal(b, (*string)(t))
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	var texts []string
	for _, p := range parts {
		if p.Type == "text" {
			texts = append(texts, p.Text)
		}
	}
	*t = text(strings.Join(texts, "\n"))
	return nil
}

// readRequest reads and checks a request's body.
func readRequest(w http.ResponseWriter, r *http.Request) (*request, *fault) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return nil, tooLarge
	case err != nil:
		return nil, unread
	}
	req := new(request)
	if err := json.Unmarshal(body, req); err != nil {
		var form *json.UnmarshalTypeError
		if errors.As(err, &form) {
			return nil, invalid(form.Field, "A member of the request has the wrong type.")
		}
		return nil, malformed
	}
	return req, req.check()
}

// check fills in what the request leaves open and refuses what cannot be
// answered.
func (r *request) check() *fault {
	if r.Model == "" {
		r.Model = modelName
	}
	if len(r.Messages) == 0 {
		return invalid("messages", "The request needs at least one message.")
	}
	r.choices = 1
	if r.N != nil {
		r.choices = *r.N
	}
	if r.choices < 1 || r.choices > maxChoices {
		return invalid("n", "n must be from 1 to 16.")
	}
	// The newer name wins where a client sends both.
	for _, m := range []struct {
		param string
		value *int
	}{{"max_tokens", r.MaxTokens}, {"max_completion_tokens", r.MaxCompletionTokens}} {
		if m.value == nil {
			continue
		}
		if *m.value < 1 {
			return invalid(m.param, m.param+" must be at least 1.")
		}
		r.limit = *m.value
	}
	return r.checkTools()
}

// prompt is the text of the last message that the user wrote.
func (r *request) prompt() string {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		if m := r.Messages[i]; m.Role == "user" {
			return string(m.Content)
		}
	}
	return ""
}
