package demo

import "encoding/json"

// messagesAnswer is an answer as a whole, and, without its content, what a
// stream begins with.
type messagesAnswer struct {
	ID           string        `json:"id"`
	Type         string        `json:"type"`
	Role         string        `json:"role"`
	Model        string        `json:"model"`
	Content      []any         `json:"content"` // a textBlock or a callBlock
	StopReason   *string       `json:"stop_reason"`
	StopSequence *string       `json:"stop_sequence"`
	Usage        messagesUsage `json:"usage"`
}

type messagesUsage struct {
	Input         int `json:"input_tokens"`
	CacheCreation int `json:"cache_creation_input_tokens"`
	CacheRead     int `json:"cache_read_input_tokens"`
	Output        int `json:"output_tokens"`
}

type textBlock struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type callBlock struct {
	Type  string          `json:"type"`
	ID    string          `json:"id"`
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input"`
}

// stopReason is why an answer ends, as the Messages API names it.
func (a *answer) stopReason() string {
	switch a.finish {
	case finishLength:
		return "max_tokens"
	case finishCalls:
		return "tool_use"
	default:
		return "end_turn"
	}
}

// messagesAnswer writes an answer as one object.
func (s *server) messagesAnswer(model string, a answer) messagesAnswer {
	reason := a.stopReason()
	m := messagesAnswer{
		ID: "msg_" + s.cfg.NewID(), Type: "message", Role: roleAssistant, Model: modelOf(model),
		Content: []any{textBlock{"text", a.text}}, StopReason: &reason,
		Usage: messagesUsage{Input: a.promptWords, Output: a.words},
	}
	if a.call != nil {
		m.Content = []any{callBlock{"tool_use", "toolu_" + s.cfg.NewID(), a.call.name, json.RawMessage(a.call.arguments)}}
	}
	return m
}
