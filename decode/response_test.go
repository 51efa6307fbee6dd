package decode

import (
	"fmt"
	"strings"
	"testing"
)

func TestResponse(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		want       []string
	}{
		{"one choice", `{"id":"i","object":"chat.completion","created":1,"model":"m","system_fingerprint":"s","choices":[{"index":0,"message":` +
			`{"role":"assistant","content":"c"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}`,
			[]string{"other i", "other chat.completion", "other m", "other s", "other assistant", "content 0 c", "other stop"}},
		{"choices are numbered by position", `{"choices":[{"index":7,"message":{"content":"a"}},{"message":{"content":"b"}}]}`,
			[]string{"content 0 a", "content 1 b"}},
		{"reasoning and refusal", `{"choices":[{"message":{"reasoning":"a","reasoning_content":"b","refusal":"c","content":null}}]}`,
			[]string{"reasoning 0 a", "reasoning_content 0 b", "refusal 0 c"}},
		{"content of parts", `{"choices":[{"message":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}}]}`,
			[]string{"content 0 /a", "content 0 /b", "~content 0 a", "~content 0 b"}},
		{"tool calls", `{"choices":[{"message":{"tool_calls":[{"id":"i","type":"function","function":{"name":"f","arguments":"{}"}},{"function":{"name":"g"}}]}},` +
			`{"message":{"tool_calls":[{"function":{"name":"h"}}],"function_call":{"name":"k","arguments":"l"}}}]}`,
			[]string{"tool_name 0.0 f", "tool_arguments 0.0 {}", "tool_name 0.1 g", "tool_name 1.0 h", "tool_name 1 k", "tool_arguments 1 l"}},
		{"log probabilities", `{"choices":[{"logprobs":{"content":[{"token":"night","logprob":-1,"bytes":[1],"top_logprobs":[{"token":"day","logprob":-2,"bytes":null}]},` +
			`{"token":"jar","top_logprobs":[]}],"refusal":null}}]}`,
			[]string{"logprobs 0 night", "other day", "logprobs 0 jar"}},
		{"unknown members stand alone", `{"choices":[{"text":"a","message":{"thinking":"b"}}],"note":["c"]}`,
			[]string{"other text", "other a", "other thinking", "other b", "other note", "other c"}},
		{"error", `{"error":{"message":"nightjar"}}`, []string{"other error", "other message", "other nightjar"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wantLines(t, describeAll(mustRead(t, chat(t).ReadResponse(DefaultLimits()), tc.body)), tc.want)
		})
	}
}

func TestResponseRefused(t *testing.T) {
	for _, body := range []string{
		`{"choices":[{"message":{"audio":{"data":"aa"}}}]}`,
		`{"choices":[{"message":{"images":[{}]}}]}`,
		`{"choices":[{"message":{"content":[{"type":"image"}]}}]}`,
	} {
		_, err := readAll(chat(t).ReadResponse(DefaultLimits()), []byte(body))
		wantFault(t, err, Unreadable, -1)
	}
}

// The longest usual answers with the likeliest tokens of each position must not
// run into the limit on strings.
func TestResponseLogprobsFit(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"choices":[{"logprobs":{"content":[`)
	for i := range 4000 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"token":"t","logprob":-1.5,"bytes":[116],"top_logprobs":[`)
		for j := range 20 {
			if j > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"token":"%d","logprob":-1.5,"bytes":[116]}`, j)
		}
		b.WriteString(`]}`)
	}
	b.WriteString(`]}}]}`)
	mustRead(t, chat(t).ReadResponse(DefaultLimits()), b.String())
}
