package demo

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// streams are requests for a stream, at least one of each API that has any.
func streams() []streamTest {
	return []streamTest{
		{"chat", "/v1/chat/completions", `{"stream":true,"n":2,"logprobs":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Say: a <b>\né"}]}`},
		{"chat_call", "/v1/chat/completions", `{"stream":true,` + weather + `,"messages":[{"role":"user","content":"call clock with {\"zone\": 1}"}]}`},
		{"completions", "/v1/completions", `{"stream":true,"n":2,"echo":true,"logprobs":1,"stream_options":{"include_usage":true},"prompt":["Say: a <b>","Say: é"]}`},
		{"responses", "/v1/responses", `{"stream":true,"include":["message.output_text.logprobs"],"instructions":"Be kind.","metadata":{"k":"<v>"},"input":"Say: a <b>\né"}`},
		{"responses_cut", "/v1/responses", `{"stream":true,"max_output_tokens":1,"input":"Say: a b"}`},
		{"responses_call", "/v1/responses", `{"stream":true,` + namedTools + `,"input":"call clock with {\"zone\": 1}"}`},
		{"messages", "/v1/messages?beta=true", `{"stream":true,"max_tokens":2,"system":"Be kind.","messages":[{"role":"user","content":"Say: a <b>\né"}]}`},
		{"messages_call", "/v1/messages", `{"stream":true,"max_tokens":9,"tools":[{"name":"clock","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"call clock with {\"zone\": 1}"}]}`},
	}
}

type streamTest struct{ name, path, body string }

// The bytes of a stream are what a filter is tried with: they do not change
// unseen.
func TestStreamBytes(t *testing.T) {
	for _, test := range streams() {
		t.Run(test.name, func(t *testing.T) {
			w := postTo(t, test.path, test.body)
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/event-stream" || !w.Flushed {
				t.Fatalf("status %d, %v, flushed %v", w.Code, w.Header(), w.Flushed)
			}
			got := w.Body.String()
			golden := filepath.Join("testdata", test.name+".sse")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s differs; if that is meant: go test ./demo -update. Now it is\n%s", golden, got)
			}
		})
	}
}
