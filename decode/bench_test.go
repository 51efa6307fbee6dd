package decode

import "testing"

const usualChunk = `data: {"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1700000000,"model":"some/model-8b",` +
	`"choices":[{"index":0,"delta":{"content":" nightjar"},"logprobs":null,"finish_reason":null,"token_ids":null}]}` + "\n\n"

// steady feeds one chunk, passes and frees its events, as a stream of tokens
// does for each token.
func steady(t testing.TB, body string) func() {
	r := chat(t).ReadStream(DefaultLimits())
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
	for _, tc := range []struct{ name, body string }{
		{"content", usualChunk},
		{"escapes", chunk(`{"index":0,"delta":{"content":"\n\u006eightjar"}}`)},
		{"unknown", chunk(`{"index":0,"delta":{"thinking":"nightjar"}}`)},
		{"tool call", chunk(`{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"nightjar"}}]}}`)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			feed := steady(t, tc.body)
			feed()
			if n := testing.AllocsPerRun(100, feed); n > 0 {
				t.Errorf("%v allocations a chunk", n)
			}
		})
	}
}

func BenchmarkStream(b *testing.B) {
	feed := steady(b, usualChunk)
	b.SetBytes(int64(len(usualChunk)))
	b.ReportAllocs()
	for b.Loop() {
		feed()
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
