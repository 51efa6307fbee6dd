package decode

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestEnding(t *testing.T) {
	const head = `"id":"i","object":"chat.completion.chunk","created":7,"model":"m"`
	first := `data: {` + head + `,"choices":[{"index":0,"delta":{"role":"assistant"}}]}` + "\n\n"
	open := func(envelope string, choices ...string) string {
		for i, index := range choices {
			choices[i] = `{"index":` + index + `,"delta":{},"finish_reason":"content_filter"}`
		}
		return `data: {` + envelope + `,"choices":[` + strings.Join(choices, ",") + "]}\n\n"
	}
	const none = `"id":"","object":"chat.completion.chunk","created":0,"model":""`
	const last = `data: {"error":{"message":"m","type":"t","code":"c","param":null},"safety":{"v":1}}` + "\n\n"
	failure := Failure{Message: "m", Type: "t", Code: "c", Safety: []byte(`{"v":1}`), RequestID: "r"}
	for _, tc := range []struct {
		name, body string
		withhold   int    // events at the end that the client has not seen
		edited     string // their first letters say which events were edited: "e.e"
		want       string
	}{
		{"nothing seen", first, 1, "", last},
		{"one choice", first, 0, "", open(head, "0") + last},
		{"choices in order", first + chunk(`{"index":2,"delta":{}},{"index":1,"delta":{}}`), 0, "", open(head, "0", "1", "2") + last},
		{"a choice that is over", first + chunk(`{"index":1,"delta":{}},{"finish_reason":"stop","index":0}`), 0, "", open(head, "1") + last},
		{"a finish reason that is null", first + chunk(`{"index":0,"finish_reason":null}`), 0, "", open(head, "0") + last},
		{"all are over", first + chunk(`{"index":0,"finish_reason":"stop"}`), 0, "", last},
		{"over in an event that was withheld", first + chunk(`{"index":0,"finish_reason":"stop"}`), 1, "", open(head, "0") + last},
		{"choice in an event that was withheld", first + chunk(`{"index":1}`), 1, "", open(head, "0") + last},
		{"envelope of a later event", chunk(`{}`) + first, 0, "", open(head, "0") + last},
		{"envelope of an edited event", first, 0, "e", open(none, "0") + last},
		{"edited, then not", first + first, 0, "e.", open(head, "0") + last},
		{"the first envelope stays", first + strings.ReplaceAll(first, `"i"`, `"j"`), 0, "", open(head, "0") + last},
		{"envelope of another form", `data: {"id":{"x":1},"created":"c","model":["m"],"choices":[{}]}` + "\n\n", 0, "", open(none, "0") + last},
		{"no choice", `data: {"id":"i","choices":[]}` + "\n\ndata: [DONE]\n\n", 0, "", last},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := chat(t).ReadStream(DefaultLimits())
			evs := mustRead(t, r, tc.body)
			for i, ev := range evs[:len(evs)-tc.withhold] {
				r.Passed(ev, i < len(tc.edited) && tc.edited[i] == 'e')
				r.Free(ev)
			}
			got := string(r.Ending([]byte("x"), failure))
			if got != "x"+tc.want {
				t.Errorf("got  %s\nwant %s", got, "x"+tc.want)
			}
			for _, ev := range mustRead(t, chat(t).ReadStream(DefaultLimits()), got[1:]) {
				if data := strings.TrimPrefix(string(ev.Raw), "data: "); !json.Valid([]byte(data)) {
					t.Errorf("not JSON: %s", data)
				}
			}
		})
	}
}

func TestEndingOfBodies(t *testing.T) {
	for _, r := range []Reader{chat(t).ReadRequest(DefaultLimits()), chat(t).ReadResponse(DefaultLimits())} {
		ev := mustRead(t, r, `{"choices":[{}]}`)[0]
		r.Passed(ev, false)
		r.Free(ev)
		if r.Ending(nil, Failure{}) != nil {
			t.Error("a body that can only be sent whole has no other ending")
		}
	}
}

// The endings of the other APIs, at what the client has seen.
func TestEndingsOfSurfaces(t *testing.T) {
	f := Failure{Message: "m", Type: "t", Code: "c", Safety: []byte(`{"v":1}`), RequestID: "r"}
	const object = `"error":{"message":"m","type":"t","code":"c","param":null},"safety":{"v":1}`
	incomplete := func(n, id, created, model string) string {
		return typed("response.incomplete", `,"sequence_number":`+n+`,"response":{"id":`+id+`,"object":"response","created_at":`+created+
			`,"status":"incomplete","incomplete_details":{"reason":"content_filter"},"error":null,"instructions":null,"model":`+model+
			`,"output":[],"parallel_tool_calls":true,"tool_choice":"auto","tools":[],"metadata":{}}`)
	}
	refused := typed("message_delta", `,"delta":{"stop_reason":"refusal","stop_sequence":null},"usage":{"output_tokens":0}`) +
		typed("error", `,`+object+`,"request_id":"r"`)
	start := func(index string) string {
		return typed("content_block_start", `,"index":`+index+`,"content_block":{"type":"text","text":""}`)
	}
	stop := func(index string) string { return typed("content_block_stop", `,"index":`+index) }
	for _, tc := range []struct{ api, body, want string }{
		{"completions", `data: {"id":"i","created":7,"model":"m","choices":[{"index":1,"text":"a"}]}` + "\n\n",
			`data: {"id":"i","object":"text_completion","created":7,"model":"m","choices":[{"index":1,"text":"","finish_reason":"content_filter"}]}` + "\n\ndata: {" + object + "}\n\n"},
		{"responses", typed("response.created", `,"sequence_number":0,"response":{"id":"i","created_at":7,"model":"m"}`) +
			typed("response.output_text.delta", `,"sequence_number":4,"output_index":0,"delta":"a"`),
			incomplete("5", `"i"`, "7", `"m"`) + typed("error", `,"sequence_number":6,"code":"c","message":"m","param":null,`+object)},
		{"responses", typed("response.output_text.delta", `,"output_index":0,"delta":"a"`),
			incomplete("0", `""`, "0", `""`) + typed("error", `,"sequence_number":1,"code":"c","message":"m","param":null,`+object)},
		{"messages", start("0"), stop("0") + refused},
		{"messages", start("0") + start("1") + stop("0"), stop("1") + refused},
		{"messages", start("0") + stop("0"), refused},
	} {
		r := named(t, tc.api).ReadStream(DefaultLimits())
		for _, ev := range mustRead(t, r, tc.body) {
			r.Passed(ev, false)
		}
		if got := string(r.Ending(nil, f)); got != tc.want {
			t.Errorf("%s after %s\ngot  %s\nwant %s", tc.api, tc.body, got, tc.want)
		}
		mustRead(t, named(t, tc.api).ReadStream(DefaultLimits()), tc.want)
	}
}

// Whole failures, in the form of the API.
func TestFailure(t *testing.T) {
	f := Failure{Message: "m\"", Type: "t", Code: "c", RequestID: "r"}
	for name, want := range map[string]string{
		"chat_completions": `{"error":{"message":"m\"","type":"t","code":"c","param":null}}`,
		"models":           `{"error":{"message":"m\"","type":"t","code":"c","param":null}}`,
		"messages":         `{"type":"error","error":{"message":"m\"","type":"t","code":"c","param":null},"request_id":"r"}`,
	} {
		if got := string(named(t, name).Failure(nil, f)); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Which events a client takes for the end of the answer.
func TestLastEvents(t *testing.T) {
	for _, tc := range []struct {
		api, body    string
		done         bool
		open, closed []int32
	}{
		{"responses", typed("response.output_item.done", `,"output_index":2,"item":{"type":"message"}`), false, []int32{-1, 2}, []int32{2}},
		{"responses", typed("response.completed", `,"response":{"output":[{"type":"message"}]}`), true, []int32{-1}, []int32{-1}},
		{"responses", typed("response.failed", ""), true, []int32{-1}, []int32{-1}},
		{"responses", typed("error", ""), false, []int32{-1}, []int32{-1}},
		{"messages", typed("content_block_delta", `,"index":1,"delta":{"type":"text_delta","text":"a"}`), false, []int32{-1, 1}, nil},
		{"messages", typed("content_block_stop", `,"index":1`), false, []int32{-1, 1}, []int32{1}},
		{"messages", typed("message_delta", `,"delta":{"stop_reason":"end_turn"}`), false, []int32{-1}, []int32{-1}},
		{"messages", typed("message_stop", ""), true, []int32{-1}, []int32{-1}},
		{"messages", typed("novelty", `,"index":0`), false, []int32{-1, 0}, nil},
	} {
		ev := mustRead(t, named(t, tc.api).ReadStream(DefaultLimits()), tc.body)[0]
		if ev.Done() != tc.done || !slices.Equal(ev.Choices(), tc.open) || !slices.Equal(ev.Finished(), tc.closed) {
			t.Errorf("%s: done %v, open %v, closed %v", tc.body, ev.Done(), ev.Choices(), ev.Finished())
		}
	}
}
