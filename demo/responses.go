package demo

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
)

// responsesRequest holds the members of a request to the Responses API that
// the model heeds, and those that its answer repeats.
type responsesRequest struct {
	Model           string             `json:"model"`
	Input           items              `json:"input"`
	Instructions    *string            `json:"instructions"`
	Stream          bool               `json:"stream"`
	Tools           echoed[[]tool]     `json:"tools"`
	ToolChoice      echoed[toolChoice] `json:"tool_choice"`
	MaxOutputTokens *int               `json:"max_output_tokens"`
	Include         []string           `json:"include"`
	Metadata        echoed[struct{}]   `json:"metadata"`
	Text            echoed[struct{}]   `json:"text"`
	Temperature     echoed[*float64]   `json:"temperature"`
	TopP            echoed[*float64]   `json:"top_p"`
	Parallel        echoed[*bool]      `json:"parallel_tool_calls"`

	// These need what the model does not keep.
	Background bool            `json:"background"`
	Previous   json.RawMessage `json:"previous_response_id"`
	Session    json.RawMessage `json:"conversation"`
	Prompt     json.RawMessage `json:"prompt"`
}

// echoed is a member that the answer repeats as it came.
type echoed[T any] struct {
	value T
	raw   json.RawMessage // nil where the request has none
}

// UnmarshalJSON keeps the bytes; null is as good as nothing.
func (e *echoed[T]) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	e.raw = bytes.Clone(b)
	return json.Unmarshal(b, &e.value)
}

func (e *echoed[T]) or(otherwise string) json.RawMessage {
	if e.raw == nil {
		return json.RawMessage(otherwise)
	}
	return e.raw
}

// item is one item of the input: a message, a call or its result.
type item struct {
	Type string `json:"type"`
	turn
	Output text `json:"output"`
}

type items []item

// UnmarshalJSON reads a string, which is what the user says, or a list.
func (i *items) UnmarshalJSON(b []byte) error {
	if b[0] == '[' {
		return json.Unmarshal(b, (*[]item)(i))
	}
	var words *string
	if err := json.Unmarshal(b, &words); err != nil || words == nil {
		return err
	}
	*i = items{{turn: turn{roleUser, text(*words)}}}
	return nil
}

// question refuses what cannot be answered.
func (r *responsesRequest) question() (*question, *fault) {
	if f := r.checkMemory(); f != nil {
		return nil, f
	}
	q := &question{choice: r.ToolChoice.value}
	if r.Instructions != nil {
		q.turns = append(q.turns, turn{roleSystem, text(*r.Instructions)})
	}
	if len(r.Input) == 0 {
		return nil, invalid("input", "input must be a string or a list of at least one item.")
	}
	for _, i := range r.Input {
		switch i.Type {
		case "", "message":
			q.turns = append(q.turns, i.turn)
		case "function_call_output":
			q.turns = append(q.turns, turn{roleTool, i.Output})
		case "function_call", "reasoning": // what the model itself has said
		default:
			return nil, invalid("input", "input holds an item that the demo model does not know: it knows message, function_call, function_call_output and reasoning.")
		}
	}
	if len(q.turns) == 0 {
		return nil, invalid("input", "input needs a message or the output of a call.")
	}
	q.tools = functions(slices.DeleteFunc(slices.Clone(r.Tools.value), func(t tool) bool { return t.Type != "function" }))
	if f := q.setLimit("max_output_tokens", r.MaxOutputTokens); f != nil {
		return nil, f
	}
	return q, q.checkTools()
}

// checkMemory refuses what refers to something outside the request: the model
// has no memory.
func (r *responsesRequest) checkMemory() *fault {
	if r.Background {
		return invalid("background", "background must be false: the demo model keeps no answers.")
	}
	for _, m := range []struct {
		param string
		value json.RawMessage
	}{{"previous_response_id", r.Previous}, {"conversation", r.Session}, {"prompt", r.Prompt}} {
		if m.value != nil && string(m.value) != "null" {
			return invalid(m.param, m.param+" is not supported: the demo model keeps nothing.")
		}
	}
	return nil
}

func (s *server) responses(w http.ResponseWriter, r *http.Request) *fault {
	var req responsesRequest
	if f := read(w, r, &req); f != nil {
		return f
	}
	q, f := req.question()
	if f != nil {
		return f
	}
	answer := s.response(&req, reply(q))
	if req.Stream {
		streamResponse(s.events(r.Context(), w), answer)
		return nil
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}
