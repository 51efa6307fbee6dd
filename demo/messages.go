package demo

import (
	"encoding/json"
	"net/http"
)

// messagesRequest holds the members of a request to Anthropic's Messages API
// that the model heeds.
type messagesRequest struct {
	Model      string          `json:"model"`
	System     text            `json:"system"`
	Messages   []blocksMessage `json:"messages"`
	Stream     bool            `json:"stream"`
	Tools      []tool          `json:"tools"`
	ToolChoice struct {
		Type string `json:"type"`
		Name string `json:"name"`
	} `json:"tool_choice"`
	MaxTokens *int `json:"max_tokens"`
}

type blocksMessage struct {
	Role    string `json:"role"`
	Content blocks `json:"content"`
}

// block is one block of a message: text, or the result of a call.
type block struct {
	Type    string          `json:"type"`
	Text    string          `json:"text"`
	Content json.RawMessage `json:"content"`
}

type blocks []block

// UnmarshalJSON reads a string, which is one block of text, or a list.
func (b *blocks) UnmarshalJSON(raw []byte) error {
	if raw[0] == '[' {
		return json.Unmarshal(raw, (*[]block)(b))
	}
	var words string
	if err := json.Unmarshal(raw, &words); err != nil {
		return err
	}
	*b = blocks{{Type: "text", Text: words}}
	return nil
}

// turns parts a message into what was said and the results of calls. The
// results come last, so that they are what is answered.
func (m *blocksMessage) turns() ([]turn, *fault) {
	said := turn{Role: m.Role}
	var results []turn
	for _, b := range m.Content {
		switch b.Type {
		case "text":
			if said.Content != "" {
				said.Content += "\n"
			}
			said.Content += text(b.Text)
		case "tool_result":
			result := turn{Role: roleTool}
			if b.Content != nil && json.Unmarshal(b.Content, &result.Content) != nil {
				return nil, invalid("messages", "messages holds a tool_result whose content is neither a string nor a list of blocks.")
			}
			results = append(results, result)
		}
	}
	if said.Content == "" && results != nil {
		return results, nil
	}
	return append([]turn{said}, results...), nil
}

// question refuses what cannot be answered.
func (r *messagesRequest) question() (*question, *fault) {
	q := &question{tools: functions(r.Tools)}
	if r.MaxTokens == nil {
		return nil, invalid("max_tokens", "max_tokens is required.")
	}
	if f := q.setLimit("max_tokens", r.MaxTokens); f != nil {
		return nil, f
	}
	if len(r.Messages) == 0 {
		return nil, invalid("messages", "messages needs at least one message.")
	}
	if r.System != "" {
		q.turns = append(q.turns, turn{roleSystem, r.System})
	}
	for _, m := range r.Messages {
		if m.Role != roleUser && m.Role != roleAssistant {
			return nil, invalid("messages", "messages holds a role that is neither user nor assistant.")
		}
		turns, f := m.turns()
		if f != nil {
			return nil, f
		}
		q.turns = append(q.turns, turns...)
	}
	switch c := r.ToolChoice; c.Type {
	case "", modeAuto, modeNone:
		q.choice.mode = c.Type
	case "any":
		q.choice.mode = modeRequired
	case "tool":
		if q.choice.name = c.Name; c.Name == "" {
			return nil, invalid("tool_choice", "tool_choice needs the name of a tool.")
		}
	default:
		return nil, invalid("tool_choice", "tool_choice must be of type none, auto, any or tool.")
	}
	return q, q.checkTools()
}

func (s *server) messages(w http.ResponseWriter, r *http.Request) *fault {
	var req messagesRequest
	if f := read(w, r, &req); f != nil {
		return f
	}
	q, f := req.question()
	if f != nil {
		return f
	}
	answer := s.messagesAnswer(req.Model, reply(q))
	if req.Stream {
		streamMessage(s.events(r.Context(), w), answer)
		return nil
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}
