package decode

import "testing"

const usualChunk = `data: {"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1700000000,"model":"some/model-8b",` +
	`"choices":[{"index":0,"delta":{"content":" nightjar"},"logprobs":null,"finish_reason":null,"token_ids":null}]}` + "\n\n"

// usualDelta has the order of members that vLLM gives it: the type is the last.
const usualDelta = "event: response.output_text.delta\n" + `data: {"content_index":0,"delta":" nightjar","item_id":"msg_0123456789abcdef","logprobs":[],` +
	`"output_index":1,"sequence_number":12,"type":"response.output_text.delta"}` + "\n\n"

// steady feeds one chunk, passes and frees its events, as a stream of tokens
// does for each token.
func steady(t testing.TB, api, body string) func() {
	r := named(t, api).ReadStream(DefaultLimits())
	p := []byte(body)
	var evs []*Event
	return func() {
		var err error
		if evs, err = r.Feed(p, evs[:0]); err != nil || len(evs) != 1 {
			t.Fatal(err, len(evs))
		}
		r.Passed(evs[0], false)
		r.Free(evs[0])
	}
}

// A token of a stream must cost no memory of its own.
func TestStreamAllocs(t *testing.T) {
	for _, tc := range []struct{ name, api, body string }{
		{"content", "chat_completions", usualChunk},
		{"response", "responses", usualDelta},
		{"message", "messages", typed("content_block_delta", `,"index":0,"delta":{"type":"text_delta","text":" nightjar"}`)},
		{"completion", "completions", `data: {"choices":[{"index":0,"text":" nightjar","logprobs":null,"finish_reason":null}]}` + "\n\n"},
		{"escapes", "chat_completions", chunk(`{"index":0,"delta":{"content":"\n\u006eightjar"}}`)},
		{"unknown", "chat_completions", chunk(`{"index":0,"delta":{"thinking":"nightjar"}}`)},
		{"tool call", "chat_completions", chunk(`{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"nightjar"}}]}}`)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			feed := steady(t, tc.api, tc.body)
			feed()
			if n := testing.AllocsPerRun(100, feed); n > 0 {
				t.Errorf("%v allocations a chunk", n)
			}
		})
	}
}

func BenchmarkStream(b *testing.B) {
	for api, body := range map[string]string{"chat_completions": usualChunk, "responses": usualDelta} {
		b.Run(api, func(b *testing.B) {
			feed := steady(b, api, body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				feed()
			}
		})
	}
}

func BenchmarkRequest(b *testing.B) {
	body := []byte(`{"model":"some/model-8b","messages":[{"role":"system","content":"You help."},{"role":"user","content":"` +
		repeat("The nightjar sings at dusk.\\n", 140) + `"}],"stream":true,"temperature":0.7}`)
	a := chat(b)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readAll(a.ReadRequest(DefaultLimits()), body); err != nil {
			b.Fatal(err)
		}
	}
}
