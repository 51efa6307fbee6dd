package demo

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestCompletions(t *testing.T) {
	const head = `{"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"demo","choices":[`
	for _, test := range []struct{ name, body, want string }{
		{
			"one prompt", `{"prompt":"Say: a <b>","suffix":"and so on","future":{"x":1}}`,
			head + `{"index":0,"text":"a <b>","logprobs":null,"finish_reason":"stop"}],
			"usage":{"prompt_tokens":6,"completion_tokens":2,"total_tokens":8}}`,
		},
		{
			"choices of each prompt", `{"prompt":["Say: a b c","Say: d"],"n":2,"max_tokens":2}`,
			head + `{"index":0,"text":"a b","logprobs":null,"finish_reason":"length"},
			{"index":1,"text":"a b","logprobs":null,"finish_reason":"length"},
			{"index":2,"text":"d","logprobs":null,"finish_reason":"stop"},
			{"index":3,"text":"d","logprobs":null,"finish_reason":"stop"}],
			"usage":{"prompt_tokens":6,"completion_tokens":6,"total_tokens":12}}`,
		},
		{
			"echo, log probabilities", `{"prompt":"Say: é ","echo":true,"logprobs":0}`,
			head + `{"index":0,"text":"Say: é é","logprobs":{"tokens":["Say:"," é ","é"],"token_logprobs":[0,0,0],"top_logprobs":null,"text_offset":[0,4,7]},"finish_reason":"stop"}],
			"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}}`,
		},
		{
			"alternatives", `{"prompt":["Say: a"],"logprobs":5}`,
			head + `{"index":0,"text":"a","logprobs":{"tokens":["a"],"token_logprobs":[0],"top_logprobs":[{"a":0}],"text_offset":[0]},"finish_reason":"stop"}],
			"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) { whole(t, "/v1/completions", test.body, test.want) })
	}
}

func TestCompletionsRefused(t *testing.T) {
	for _, test := range []struct {
		body  string
		code  string
		param any
	}{
		{`{"prompt":"a"`, "invalid_json", nil},
		{`{}`, "invalid_value", "prompt"},
		{`{"prompt":null}`, "invalid_value", "prompt"},
		{`{"prompt":[]}`, "invalid_value", "prompt"},
		{`{"prompt":[1,2]}`, "invalid_value", "prompt"},
		{`{"prompt":[[1,2]]}`, "invalid_value", "prompt"},
		{`{"prompt":["a",1]}`, "invalid_value", "prompt"},
		{`{"prompt":{"a":"b"}}`, "invalid_value", "prompt"},
		{`{"prompt":["` + strings.Repeat(`","`, maxPrompts) + `"]}`, "invalid_value", "prompt"},
		{`{"prompt":"a","n":17}`, "invalid_value", "n"},
		{`{"prompt":"a","max_tokens":0}`, "invalid_value", "max_tokens"},
		{`{"prompt":"a","logprobs":6}`, "invalid_value", "logprobs"},
		{`{"prompt":"a","logprobs":-1}`, "invalid_value", "logprobs"},
		{`{"prompt":"a","logprobs":true}`, "invalid_value", "logprobs"},
		{`{"prompt":"a","suffix":1}`, "invalid_value", "suffix"},
	} {
		refused(t, "/v1/completions", test.body, 400, test.code, test.param)
	}
}

// The chunks of every choice, put together, are the whole answer.
func TestCompletionsStreamIsWhole(t *testing.T) {
	for _, members := range []string{
		`"prompt":["Say: one  two\n\n\tthree 世界","hello","Say: x"],"n":2`,
		`"prompt":["Say: one  two\n\n\tthree 世界","Say: x"],"echo":true,"logprobs":2,"max_tokens":2`,
	} {
		var want textCompletion
		if err := json.Unmarshal(postTo(t, "/v1/completions", `{`+members+`}`).Body.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		got := make([]textChoice, len(want.Choices))
		events := data(t, postTo(t, "/v1/completions", `{"stream":true,`+members+`}`).Body.String())
		if events[len(events)-1] != "[DONE]" {
			t.Errorf("the end is %q", events[len(events)-1])
		}
		for _, d := range events[:len(events)-1] {
			var c textCompletion
			if err := json.Unmarshal([]byte(d), &c); err != nil {
				t.Fatal(err)
			}
			one := c.Choices[0]
			sum := &got[one.Index]
			if sum.Finish != nil {
				t.Errorf("choice %d goes on after its end", one.Index)
			}
			sum.Index, sum.Text, sum.Finish = one.Index, sum.Text+one.Text, one.Finish
			if l := one.Logprobs; l != nil {
				if sum.Logprobs == nil {
					sum.Logprobs = new(textLogprobs)
				}
				sum.Logprobs.Tokens = append(sum.Logprobs.Tokens, l.Tokens...)
				sum.Logprobs.Values = append(sum.Logprobs.Values, l.Values...)
				sum.Logprobs.Top = append(sum.Logprobs.Top, l.Top...)
				sum.Logprobs.Offset = append(sum.Logprobs.Offset, l.Offset...)
			}
		}
		g, _ := json.Marshal(got)
		w, _ := json.Marshal(want.Choices)
		same(t, string(g), string(w))
	}
}
