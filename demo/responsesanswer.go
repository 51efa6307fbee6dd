package demo

import (
	"encoding/json"
	"slices"
)

// response is an answer as a whole, and, without its output, what a stream
// begins with. It repeats much of the request, words included.
type response struct {
	ID              string          `json:"id"`
	Object          string          `json:"object"`
	Created         int64           `json:"created_at"`
	Status          string          `json:"status"`
	Error           *struct{}       `json:"error"`
	Incomplete      *incomplete     `json:"incomplete_details"`
	Instructions    *string         `json:"instructions"`
	MaxOutputTokens *int            `json:"max_output_tokens"`
	Metadata        json.RawMessage `json:"metadata"`
	Model           string          `json:"model"`
	Output          []any           `json:"output"` // a messageItem or a callItem
	Parallel        json.RawMessage `json:"parallel_tool_calls"`
	Previous        *string         `json:"previous_response_id"`
	Temperature     json.RawMessage `json:"temperature"`
	Text            json.RawMessage `json:"text"`
	ToolChoice      json.RawMessage `json:"tool_choice"`
	Tools           json.RawMessage `json:"tools"`
	TopP            json.RawMessage `json:"top_p"`
	Usage           *responseUsage  `json:"usage"`
}

type incomplete struct {
	Reason string `json:"reason"`
}

type responseUsage struct {
	Input         int           `json:"input_tokens"`
	InputDetails  inputDetails  `json:"input_tokens_details"`
	Output        int           `json:"output_tokens"`
	OutputDetails outputDetails `json:"output_tokens_details"`
	Total         int           `json:"total_tokens"`
}

type inputDetails struct {
	Cached int `json:"cached_tokens"`
}

type outputDetails struct {
	Reasoning int `json:"reasoning_tokens"`
}

type messageItem struct {
	ID      string       `json:"id"`
	Type    string       `json:"type"`
	Status  string       `json:"status"`
	Role    string       `json:"role"`
	Content []outputText `json:"content"`
}

type outputText struct {
	Type        string     `json:"type"`
	Annotations []struct{} `json:"annotations"`
	Logprobs    []logprob  `json:"logprobs"`
	Text        string     `json:"text"`
}

type callItem struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Status    string `json:"status"`
	Arguments string `json:"arguments"`
	CallID    string `json:"call_id"`
	Name      string `json:"name"`
}

// The states of a response and of its items.
const (
	inProgress = "in_progress"
	completed  = "completed"
	cut        = "incomplete"
)

func newOutputText(text string, probs []logprob) outputText {
	return outputText{"output_text", []struct{}{}, probs, text}
}

// response writes an answer as one object.
func (s *server) response(r *responsesRequest, a answer) response {
	out := response{
		ID:              "resp_" + s.cfg.NewID(),
		Object:          "response",
		Created:         s.cfg.Now().Unix(),
		Status:          completed,
		Instructions:    r.Instructions,
		MaxOutputTokens: r.MaxOutputTokens,
		Metadata:        r.Metadata.or("{}"),
		Model:           modelOf(r.Model),
		Parallel:        r.Parallel.or("true"),
		Temperature:     r.Temperature.or("1"),
		Text:            r.Text.or(`{"format":{"type":"text"}}`),
		ToolChoice:      r.ToolChoice.or(`"auto"`),
		Tools:           r.Tools.or("[]"),
		TopP:            r.TopP.or("1"),
		Usage:           &responseUsage{Input: a.promptWords, Output: a.words, Total: a.promptWords + a.words},
	}
	if a.finish == finishLength {
		out.Status, out.Incomplete = cut, &incomplete{"max_output_tokens"}
	}
	if a.call != nil {
		out.Output = []any{callItem{"fc_" + s.cfg.NewID(), "function_call", completed, a.call.arguments, s.callID(), a.call.name}}
		return out
	}
	probs := []logprob{}
	if slices.Contains(r.Include, "message.output_text.logprobs") {
		probs = certain(a.text)
	}
	content := []outputText{newOutputText(a.text, probs)}
	out.Output = []any{messageItem{"msg_" + s.cfg.NewID(), "message", out.Status, roleAssistant, content}}
	return out
}
