package demo

import (
	"encoding/json"
	"slices"
	"strings"
)

// maxChoices bounds n.
const maxChoices = 16

// question is what a request comes down to, whatever its API.
type question struct {
	turns  []turn
	tools  []string // the functions that may be called
	choice toolChoice
	limit  int // words of an answer; 0 means no limit
}

// turn is one message of the conversation.
type turn struct {
	Role    string `json:"role"`
	Content text   `json:"content"`
}

// The roles that count; all others only hold words.
const (
	roleUser      = "user"
	roleTool      = "tool" // the result of a call
	roleSystem    = "system"
	roleAssistant = "assistant"
)

// prompt is the text of the last message that the user wrote.
func (q *question) prompt() string {
	for _, t := range slices.Backward(q.turns) {
		if t.Role == roleUser {
			return string(t.Content)
		}
	}
	return ""
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
		switch p.Type {
		case "text", "input_text", "output_text":
			texts = append(texts, p.Text)
		}
	}
	*t = text(strings.Join(texts, "\n"))
	return nil
}

// setLimit takes a member that bounds the words of an answer, if it is there.
func (q *question) setLimit(param string, value *int) *fault {
	if value == nil {
		return nil
	}
	if *value < 1 {
		return invalid(param, param+" must be at least 1.")
	}
	q.limit = *value
	return nil
}

// choices reads n: without it there is one.
func choices(n *int) (int, *fault) {
	if n == nil {
		return 1, nil
	}
	if *n < 1 || *n > maxChoices {
		return 0, invalid("n", "n must be from 1 to 16.")
	}
	return *n, nil
}
