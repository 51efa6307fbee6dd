package decode

import (
	"encoding/json"
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
	const last = `data: {"error":{}}` + "\n\n"
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
			got := string(r.Ending([]byte("x"), []byte(`{"error":{}}`)))
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
		if r.Ending(nil, []byte(`{}`)) != nil {
			t.Error("a body that can only be sent whole has no other ending")
		}
	}
}
