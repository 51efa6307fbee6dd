package demo

import (
	"encoding/json"
	"testing"
)

// answered is a response with what its output and usage hold. rest are the
// members that a request may set.
func answered(status, incomplete, output, usage, rest string) string {
	return `{"id":"resp_1","object":"response","created_at":1700000000,"error":null,"model":"demo","previous_response_id":null,
	"status":"` + status + `","incomplete_details":` + incomplete + `,"output":[` + output + `],"usage":` + usage + `,` + rest + `}`
}

func spoken(status, words string) string {
	return `{"id":"msg_2","type":"message","status":"` + status + `","role":"assistant","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"` + words + `"}]}`
}

const (
	responseDefaults = `"instructions":null,"max_output_tokens":null,"metadata":{},"parallel_tool_calls":true,"temperature":1,
	"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":1`
	fiveAndThree = `{"input_tokens":5,"input_tokens_details":{"cached_tokens":0},"output_tokens":3,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":8}`
)

func TestResponses(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{
			"a string", `{"input":"Say: a <b> c d","max_output_tokens":3}`,
			answered("incomplete", `{"reason":"max_output_tokens"}`, spoken("incomplete", "a <b> c"), fiveAndThree,
				`"instructions":null,"max_output_tokens":3,"metadata":{},"parallel_tool_calls":true,"temperature":1,
				"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":1`),
		},
		{
			"items", `{"future":1,"conversation":null,"input":[{"role":"developer","content":"Be"},{"type":"message","role":"user","content":[{"type":"input_text","text":"Say:"},
			{"type":"input_image"},{"type":"input_text","text":"a b\nc"}]},{"type":"reasoning","summary":[]},{"type":"message","id":"x","role":"assistant","content":[{"type":"output_text","text":""}]}]}`,
			answered("completed", "null", spoken("completed", `a b\nc`), fiveAndThree, responseDefaults),
		},
		{
			"what is repeated", `{"input":"Say: a b c","instructions":"<x>","metadata":{"k":"v"},"parallel_tool_calls":false,"temperature":0.5,"top_p":null,"text":{"verbosity":"low"},
			"tools":[{"type":"function","name":"f"},{"type":"web_search"}],"tool_choice":"none"}`,
			answered("completed", "null", spoken("completed", "a b c"), fiveAndThree,
				`"instructions":"<x>","max_output_tokens":null,"metadata":{"k":"v"},"parallel_tool_calls":false,"temperature":0.5,"top_p":1,"text":{"verbosity":"low"},
				"tools":[{"type":"function","name":"f"},{"type":"web_search"}],"tool_choice":"none"`),
		},
		{
			"call", `{"input":"Please call f with {\"a\": 1}","tool_choice":{"type":"function","name":"f"},"tools":[{"type":"function","name":"f"}]}`,
			answered("completed", "null", `{"id":"fc_2","type":"function_call","status":"completed","call_id":"call_3","name":"f","arguments":"{\"a\": 1}"}`,
				`{"input_tokens":6,"input_tokens_details":{"cached_tokens":0},"output_tokens":3,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":9}`,
				`"instructions":null,"max_output_tokens":null,"metadata":{},"parallel_tool_calls":true,"temperature":1,
				"text":{"format":{"type":"text"}},"tool_choice":{"type":"function","name":"f"},"tools":[{"type":"function","name":"f"}],"top_p":1`),
		},
		{
			"result of a call", `{"input":[{"role":"user","content":"call f now."},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
			{"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"12:00"},{"type":"input_text","text":"UTC"}]}],"tool_choice":"required","tools":[{"type":"function","name":"f"}]}`,
			answered("completed", "null", spoken("completed", `The tool said: 12:00\nUTC`),
				`{"input_tokens":5,"input_tokens_details":{"cached_tokens":0},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":10}`,
				`"instructions":null,"max_output_tokens":null,"metadata":{},"parallel_tool_calls":true,"temperature":1,
				"text":{"format":{"type":"text"}},"tool_choice":"required","tools":[{"type":"function","name":"f"}],"top_p":1`),
		},
	} {
		t.Run(test.name, func(t *testing.T) { whole(t, "/v1/responses", test.body, test.want) })
	}
}

func TestResponsesRefused(t *testing.T) {
	for _, test := range []struct {
		body  string
		param any
	}{
		{`{}`, "input"},
		{`{"input":null}`, "input"},
		{`{"input":[]}`, "input"},
		{`{"input":5}`, "input"},
		{`{"input":[{"type":"item_reference","id":"x"}]}`, "input"},
		{`{"input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}`, "input"},
		{`{"input":"a","max_output_tokens":0}`, "max_output_tokens"},
		{`{"input":"a","background":true}`, "background"},
		{`{"input":"a","previous_response_id":"resp_1"}`, "previous_response_id"},
		{`{"input":"a","conversation":{"id":"x"}}`, "conversation"},
		{`{"input":"a","prompt":{"id":"x"}}`, "prompt"},
		{`{"input":"a","instructions":["x"]}`, "instructions"},
		{`{"input":"a","metadata":"x"}`, "metadata"},
		{`{"input":"a","temperature":"x"}`, "temperature"},
		{`{"input":"a","tool_choice":"required"}`, "tool_choice"},
		{`{"input":"a","tool_choice":"required","tools":[{"type":"web_search","name":"web_search"}]}`, "tool_choice"},
		{`{"input":"a","tool_choice":{"type":"function","name":"g"},"tools":[{"type":"function","name":"f"}]}`, "tool_choice"},
	} {
		refused(t, "/v1/responses", test.body, 400, "invalid_value", test.param)
	}
}

// The last event of a stream holds what the answer would be as a whole.
func TestResponsesStreamIsWhole(t *testing.T) {
	for _, members := range []string{
		`"input":"Say: one  two\n\n\tthree 世界\u2028<&>"`,
		`"input":"Say: a b","max_output_tokens":1,"include":["message.output_text.logprobs"]`,
		`"input":"call clock with {\"zone\": \"Zürich, 世界\"}",` + namedTools,
	} {
		events := named(t, postTo(t, "/v1/responses", `{"stream":true,`+members+`}`).Body.String())
		deltas := ""
		var last, done struct {
			Response  json.RawMessage
			Delta     string
			Text      string
			Arguments string
			Number    int `json:"sequence_number"`
		}
		for i, e := range events {
			last.Response, last.Delta = nil, ""
			if err := json.Unmarshal([]byte(e.data), &last); err != nil {
				t.Fatal(err)
			}
			if last.Number != i {
				t.Errorf("event %d has number %d", i, last.Number)
			}
			deltas += last.Delta
			if last.Text+last.Arguments != "" {
				done = last
			}
		}
		same(t, string(last.Response), postTo(t, "/v1/responses", `{`+members+`}`).Body.String())
		if want := done.Text + done.Arguments; deltas != want || want == "" {
			t.Errorf("the deltas are %q, want %q", deltas, want)
		}
	}
}
