package demo

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// streamed posts a request and returns the data of its events.
func streamed(t *testing.T, body string) []string {
	t.Helper()
	w := post(t, body)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/event-stream" || !w.Flushed {
		t.Fatalf("status %d, %v, flushed %v", w.Code, w.Header(), w.Flushed)
	}
	return data(t, w.Body.String())
}

func data(t *testing.T, body string) []string {
	t.Helper()
	var all []string
	for event := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
		d, ok := strings.CutPrefix(event, "data: ")
		if !ok || strings.Contains(d, "\n") {
			t.Fatalf("not an event: %q", event)
		}
		all = append(all, d)
	}
	return all
}

// event is one that has a name, which its data repeats as their type.
type event struct{ name, data string }

func named(t *testing.T, body string) []event {
	t.Helper()
	var all []event
	for lines := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
		name, d, ok := strings.Cut(strings.TrimPrefix(lines, "event: "), "\ndata: ")
		if !ok || !strings.HasPrefix(d, `{"type":"`+name+`"`) || strings.Contains(d, "\n") {
			t.Fatalf("not an event with a name: %q", lines)
		}
		all = append(all, event{name, d})
	}
	return all
}

func compare(t *testing.T, got, want []string, head string) {
	t.Helper()
	if len(got) != len(want)+1 || got[len(got)-1] != "[DONE]" {
		t.Fatalf("%d events, want %d:\n%s", len(got), len(want)+1, strings.Join(got, "\n"))
	}
	for i := range want {
		same(t, got[i], head+want[i])
	}
}

const chunkHead = `{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"demo",`

func TestStreamWords(t *testing.T) {
	got := streamed(t, `{"stream":true,"n":2,"logprobs":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Say: a\nb"}]}`)
	compare(t, got, []string{
		`"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"usage":null}`,
		`"choices":[{"index":1,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"usage":null}`,
		`"choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":0,"bytes":[97],"top_logprobs":[]}],"refusal":null},"finish_reason":null}],"usage":null}`,
		`"choices":[{"index":1,"delta":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":0,"bytes":[97],"top_logprobs":[]}],"refusal":null},"finish_reason":null}],"usage":null}`,
		`"choices":[{"index":0,"delta":{"content":"\nb"},"logprobs":{"content":[{"token":"\nb","logprob":0,"bytes":[10,98],"top_logprobs":[]}],"refusal":null},"finish_reason":null}],"usage":null}`,
		`"choices":[{"index":1,"delta":{"content":"\nb"},"logprobs":{"content":[{"token":"\nb","logprob":0,"bytes":[10,98],"top_logprobs":[]}],"refusal":null},"finish_reason":null}],"usage":null}`,
		`"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}`,
		`"choices":[{"index":1,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}`,
		`"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}`,
	}, chunkHead)
}

func TestStreamCall(t *testing.T) {
	got := streamed(t, `{"stream":true,`+weather+`,"messages":[{"role":"user","content":"call clock with {\"zone\":1}"}]}`)
	compare(t, got, []string{
		`"choices":[{"index":0,"delta":{"role":"assistant"},"logprobs":null,"finish_reason":null}]}`,
		`"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_2","type":"function","function":{"name":"clock","arguments":""}}]},"logprobs":null,"finish_reason":null}]}`,
		`"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"zo"}}]},"logprobs":null,"finish_reason":null}]}`,
		`"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"ne\":"}}]},"logprobs":null,"finish_reason":null}]}`,
		`"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},"logprobs":null,"finish_reason":null}]}`,
		`"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}]}`,
	}, chunkHead)
}

// The deltas of every choice, put together, are the whole answer.
func TestStreamIsWhole(t *testing.T) {
	for _, members := range []string{
		`"messages":[{"role":"user","content":"Say: one  two\n\n\tthree 世界\u2028<&> \\ \"q\""}]`,
		`"max_tokens":3,"messages":[{"role":"user","content":"Say: one  two\n\n\tthree 世界"}]`,
		`"messages":[{"role":"user","content":"hello"}]`,
		`"messages":[{"role":"tool","content":" spaced out \n"}]`,
		`"messages":[{"role":"user","content":"call clock with {\"zone\": \"Zürich, 世界\"}"}],` + weather,
	} {
		var whole completion
		if err := json.Unmarshal(post(t, `{"n":3,`+members+`}`).Body.Bytes(), &whole); err != nil {
			t.Fatal(err)
		}
		var content, finish [3]string
		for _, d := range streamed(t, `{"n":3,"stream":true,`+members+`}`) {
			if d == "[DONE]" {
				break
			}
			var c chunk
			if err := json.Unmarshal([]byte(d), &c); err != nil {
				t.Fatal(err)
			}
			one := c.Choices[0]
			if one.Delta.Content != nil {
				content[one.Index] += *one.Delta.Content
			}
			for _, call := range one.Delta.ToolCalls {
				content[one.Index] += call.Function.Name + call.Function.Arguments
			}
			if one.Finish != nil {
				finish[one.Index] = *one.Finish
			}
		}
		for i, c := range whole.Choices {
			want := ""
			if c.Message.Content != nil {
				want = *c.Message.Content
			}
			for _, call := range c.Message.ToolCalls {
				want += call.Function.Name + call.Function.Arguments
			}
			if content[i] != want || finish[i] != c.Finish {
				t.Errorf("choice %d: %q %s, want %q %s", i, content[i], finish[i], want, c.Finish)
			}
		}
	}
}

func TestStreamStopsWithItsContext(t *testing.T) {
	const body = `{"stream":true,"messages":[{"role":"user","content":"Say: a b c d e f"}]}`
	synctest.Test(t, func(t *testing.T) {
		cfg := fixed()
		cfg.ChunkDelay = time.Second
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		start := time.Now()
		w := httptest.NewRecorder()
		Handler(cfg).ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/chat/completions", strings.NewReader(body)))
		if d := time.Since(start); d != 2500*time.Millisecond {
			t.Errorf("stopped after %v", d)
		}
		if got := data(t, w.Body.String()); len(got) != 3 || strings.Contains(w.Body.String(), "[DONE]") {
			t.Errorf("events: %q, want the role, a and b", got)
		}
	})
	// Without a delay, too.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	Handler(fixed()).ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/chat/completions", strings.NewReader(body)))
	if w.Body.Len() != 0 {
		t.Errorf("wrote %q to a client that is gone", w.Body)
	}
}

// leaving is a client that takes some events and is gone.
type leaving struct {
	httptest.ResponseRecorder
	stays, writes int
}

func (l *leaving) Write(b []byte) (int, error) {
	if l.writes++; l.writes > l.stays {
		return 0, errors.New("gone")
	}
	return l.ResponseRecorder.Write(b)
}

// Nothing more is written to a client that is gone, wherever it leaves.
func TestStreamStopsWithItsClient(t *testing.T) {
	for _, test := range streams() {
		full := postTo(t, test.path, test.body).Body.String()
		for stays := range strings.Count(full, "\n\n") {
			l := &leaving{ResponseRecorder: *httptest.NewRecorder(), stays: stays}
			Handler(fixed()).ServeHTTP(l, httptest.NewRequest(http.MethodPost, test.path, strings.NewReader(test.body)))
			got := l.Body.String()
			if l.writes != stays+1 || strings.Count(got, "\n\n") != stays || !strings.HasPrefix(full, got) {
				t.Errorf("%s: a client that took %d events was written to %d times", test.name, stays, l.writes)
			}
		}
	}
}
