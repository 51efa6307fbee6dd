package demo

import (
	"encoding/json"
	"strings"
	"testing"
)

const clockTool = `"tools":[{"name":"clock","input_schema":{"type":"object"}}]`

func TestMessages(t *testing.T) {
	message := func(content, reason, in, out string) string {
		return `{"id":"msg_1","type":"message","role":"assistant","model":"demo","content":[` + content + `],"stop_reason":"` + reason + `","stop_sequence":null,
		"usage":{"input_tokens":` + in + `,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":` + out + `}}`
	}
	words := func(text string) string { return `{"type":"text","text":"` + text + `"}` }
	for _, test := range []struct{ name, body, want string }{
		{
			"strings", `{"max_tokens":9,"system":"Be kind.","future":{},"thinking":{"type":"enabled","budget_tokens":1024},"messages":[{"role":"user","content":"Say: a <b>"}]}`,
			message(words("a <b>"), "end_turn", "5", "2"),
		},
		{
			"blocks", `{"max_tokens":2,"system":[{"type":"text","text":"Be"},{"type":"text","text":"kind."}],"messages":[{"role":"user","content":"Say: x"},
			{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"x"}]},
			{"role":"user","content":[{"type":"text","text":"Say:"},{"type":"image","source":{"type":"url","url":"u"}},{"type":"text","text":"a b c"}]}]}`,
			message(words("a b"), "max_tokens", "9", "2"),
		},
		{
			"call", `{"max_tokens":1,` + clockTool + `,"messages":[{"role":"user","content":"call clock with {\"a\":  1}"}]}`,
			message(`{"type":"tool_use","id":"toolu_2","name":"clock","input":{"a":1}}`, "tool_use", "5", "3"),
		},
		{
			"a tool must be called", `{"max_tokens":1,"tool_choice":{"type":"any"},` + clockTool + `,"messages":[{"role":"user","content":"hello"}]}`,
			message(`{"type":"tool_use","id":"toolu_2","name":"clock","input":{}}`, "tool_use", "1", "2"),
		},
		{
			"this tool must be called", `{"max_tokens":1,"tool_choice":{"type":"tool","name":"clock"},` + clockTool + `,"messages":[{"role":"user","content":"hello"}]}`,
			message(`{"type":"tool_use","id":"toolu_2","name":"clock","input":{}}`, "tool_use", "1", "2"),
		},
		{
			"no tool may be called", `{"max_tokens":9,"tool_choice":{"type":"none"},` + clockTool + `,"messages":[{"role":"user","content":"call clock, say: a"}]}`,
			message(words("a"), "end_turn", "4", "1"),
		},
		{
			"the result of a call comes before what is said beside it", `{"max_tokens":9,"tool_choice":{"type":"any"},` + clockTool + `,"messages":[{"role":"user","content":"call clock"},
			{"role":"assistant","content":[{"type":"tool_use","id":"x","name":"clock","input":{}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"x","content":[{"type":"text","text":"12:00"}]},{"type":"text","text":"call clock"}]}]}`,
			message(words("The tool said: 12:00"), "end_turn", "5", "4"),
		},
		{
			"results of calls, as a string and as nothing", `{"max_tokens":9,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"y"},{"type":"tool_result","tool_use_id":"x","content":"12:00"}]}]}`,
			message(words("The tool said: 12:00"), "end_turn", "1", "4"),
		},
		{
			"a message that holds a result alone asks for nothing", `{"max_tokens":9,"messages":[{"role":"user","content":"Say: a"},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"x","content":"12:00"}]},{"role":"assistant","content":"so"}]}`,
			message(words("a"), "end_turn", "4", "1"),
		},
	} {
		t.Run(test.name, func(t *testing.T) { whole(t, "/v1/messages", test.body, test.want) })
	}
}

func TestMessagesRefused(t *testing.T) {
	const hello = `"messages":[{"role":"user","content":"hello"}]`
	for _, test := range []struct {
		body       string
		status     int
		kind, says string
	}{
		{`{`, 400, "invalid_request_error", "The body is not valid JSON."},
		{`{` + hello + `}`, 400, "invalid_request_error", "max_tokens is required."},
		{`{"max_tokens":0,` + hello + `}`, 400, "invalid_request_error", "max_tokens must be at least 1."},
		{`{"max_tokens":"9",` + hello + `}`, 400, "invalid_request_error", "max_tokens: A member of the request has the wrong type."},
		{`{"max_tokens":9}`, 400, "invalid_request_error", "messages needs at least one message."},
		{`{"max_tokens":9,"messages":[{"role":"system","content":"a"}]}`, 400, "invalid_request_error", "messages holds a role that is neither user nor assistant."},
		{`{"max_tokens":9,"messages":[{"role":"user","content":5}]}`, 400, "invalid_request_error", "messages.content: A member of the request has the wrong type."},
		{`{"max_tokens":9,"messages":[{"role":"user","content":[{"type":"tool_result","content":5}]}]}`, 400, "invalid_request_error", "messages holds a tool_result whose content is neither a string nor a list of blocks."},
		{`{"max_tokens":9,"tool_choice":{"type":"any"},` + hello + `}`, 400, "invalid_request_error", "tool_choice needs a function among the tools."},
		{`{"max_tokens":9,"tool_choice":{"type":"tool"},` + clockTool + `,` + hello + `}`, 400, "invalid_request_error", "tool_choice needs the name of a tool."},
		{`{"max_tokens":9,"tool_choice":{"type":"tool","name":"x"},` + clockTool + `,` + hello + `}`, 400, "invalid_request_error", "tool_choice names a function that is not among the tools."},
		{`{"max_tokens":9,"tool_choice":{"type":"required"},` + clockTool + `,` + hello + `}`, 400, "invalid_request_error", "tool_choice must be of type none, auto, any or tool."},
		{`{"model":"` + strings.Repeat("m", maxBody) + `"}`, 413, "request_too_large", "The request is larger than 16 MiB."},
	} {
		w := postTo(t, "/v1/messages", test.body)
		if w.Code != test.status {
			t.Errorf("%.100s: %d", test.body, w.Code)
		}
		same(t, w.Body.String(), `{"type":"error","error":{"type":"`+test.kind+`","message":"`+test.says+`"}}`)
	}
}

// The deltas of a stream, put together, are the block of the whole answer.
func TestMessagesStreamIsWhole(t *testing.T) {
	for _, members := range []string{
		`"max_tokens":99,"messages":[{"role":"user","content":"Say: one  two\n\n\tthree 世界\u2028<&>"}]`,
		`"max_tokens":2,"messages":[{"role":"user","content":"Say: one  two\n\n\tthree 世界"}]`,
		`"max_tokens":2,` + clockTool + `,"messages":[{"role":"user","content":"call clock with {\"zone\":\"Zürich, 世界\"}"}]`,
	} {
		var whole struct {
			Content []struct {
				Text  string
				Input json.RawMessage
			}
		}
		if err := json.Unmarshal(postTo(t, "/v1/messages", `{`+members+`}`).Body.Bytes(), &whole); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, e := range named(t, postTo(t, "/v1/messages", `{"stream":true,`+members+`}`).Body.String()) {
			var event struct {
				Delta struct {
					Text string
					JSON string `json:"partial_json"`
				}
			}
			if err := json.Unmarshal([]byte(e.data), &event); err != nil {
				t.Fatal(err)
			}
			got += event.Delta.Text + event.Delta.JSON
		}
		if want := whole.Content[0].Text + string(whole.Content[0].Input); got != want || want == "" {
			t.Errorf("the deltas are %q, want %q", got, want)
		}
	}
}
