package inspect

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/policy"
)

// steps writes each chunk and returns what each let out, the end's last.
func steps(t *testing.T, d *Direction, chunks ...string) (out []string) {
	t.Helper()
	for _, c := range chunks {
		s, err := d.Write(context.Background(), []byte(c))
		if err != nil || s.Blocked {
			t.Fatalf("%+v, %v", s, err)
		}
		out = append(out, string(s.Release))
	}
	s, err := d.End(context.Background())
	if err != nil || s.Blocked {
		t.Fatalf("end: %+v, %v", s, err)
	}
	return append(out, string(s.Release))
}

func expectSteps(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("step %d of %q\nwant %q", i, got, want)
		}
	}
}

func TestRelease(t *testing.T) {
	const usage = `{"choices":[],"usage":{"total_tokens":7}}`
	last := sse(`{"choices":[{"index":0,"delta":{"content":" you."},"finish_reason":"stop"}]}`)
	role, hello, code, name, end := sse(roleOnly), sse(delta("0", "hello")), sse(delta("0", " codename")), sse(delta("0", " swift")), sse(finished, done)
	for name, c := range map[string]struct {
		mode       policy.Streaming
		in, expect []string
	}{
		"words start it": {
			policy.Window,
			[]string{": hi\n\n", role, hello, end},
			[]string{"", "", ": hi\n\n" + role + hello, "", end},
		},
		"words that may go on wait": {
			policy.Window,
			[]string{role, code, name, end},
			[]string{"", "", role + code + name, "", end},
		},
		"what is not the end after all": {
			policy.Window,
			[]string{hello, sse(finished), sse(delta("1", "hi ")), sse(usage), sse(done)},
			[]string{hello, "", sse(finished) + sse(delta("1", "hi ")), sse(usage), "", sse(done)},
		},
		"what comes behind the end mark": {
			policy.Window,
			[]string{hello, end + sse(delta("1", "codename nightjar ")), sse(usage), "data: {\n\n", "data: ["},
			[]string{hello, "", "", "", "", end},
		},
		"words and the end in one": {
			policy.Window,
			[]string{hello, last, sse(usage), sse(done), ": bye\n\n"},
			[]string{hello, "", "", "", "", last + sse(usage) + sse(done)},
		},
		"what comes behind them waits too": {
			policy.Window,
			[]string{hello, code, ": hi\n\n", sse(delta("1", "hi ")), name},
			[]string{hello, "", "", "", code + ": hi\n\n" + sse(delta("1", "hi ")) + name, ""},
		},
		"the end clears": {
			policy.Window,
			[]string{role, code},
			[]string{"", "", role + code},
		},
		"no words at all": {
			policy.Window,
			[]string{role, end},
			[]string{"", "", role + end},
		},
		"an empty stream": {policy.Window, nil, []string{""}},
		"full holds all": {
			policy.Full,
			[]string{role, hello, name, end},
			[]string{"", "", "", "", role + hello + name + end},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := modeDirection(t, c.mode, (*Inspector).Stream)
			expectSteps(t, steps(t, d, c.in...), c.expect)
		})
	}
}

// Memory is bounded whatever the upstream sends.
func TestLimits(t *testing.T) {
	small := DefaultLimits()
	small.Held, small.Stream, small.Decode.Body, small.Decode.Places = 400, 600, 500, 8
	hold := sse(delta("0", "codename"))
	choices := func(n int) (s string) {
		for i := range n {
			s += sse(`{"choices":[{"index":` + fmt.Sprint(i%7) + `,"delta":{"` + []string{"content", "reasoning"}[i/7] + `":"a"}}]}`)
		}
		return s
	}
	for name, c := range map[string]struct {
		mode  policy.Streaming
		make  func(*Inspector, *decode.API) *Direction
		in    string
		fault Fault
	}{
		"held":              {policy.Window, (*Inspector).Stream, hold + strings.Repeat(": \n\n", 100), HeldTooBig},
		"held before words": {policy.Window, (*Inspector).Stream, strings.Repeat(": \n\n", 101), HeldTooBig},
		"below":             {policy.Window, (*Inspector).Stream, hold + strings.Repeat(": \n\n", 50), ""},
		"not held":          {policy.Window, (*Inspector).Stream, strings.Repeat(sse(delta("0", "a. ")), 50), ""},
		"full":              {policy.Full, (*Inspector).Stream, strings.Repeat(sse(delta("0", "a. ")), 8), HeldTooBig},
		"full, below":       {policy.Full, (*Inspector).Stream, strings.Repeat(sse(delta("0", "a. ")), 4), ""},
		"request":           {policy.Window, (*Inspector).Request, ask(`"` + strings.Repeat("a", 500) + `"`), Fault(decode.TooLarge)},
		"response":          {policy.Window, (*Inspector).Response, `{"x":"` + strings.Repeat("a", 500) + `"}`, Fault(decode.TooLarge)},
		"parts":             {policy.Window, (*Inspector).Stream, choices(9), Fault(decode.TooLarge)},
		"parts, below":      {policy.Window, (*Inspector).Stream, choices(8), ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := New(loadPolicy(t, c.mode), patterns(t), small)
			chunks := bytewise(c.in)
			if c.fault == HeldTooBig {
				// All in one write is over as well.
				if o := drive(t, c.make(in, chat(t)), c.in); o.fault != c.fault {
					t.Errorf("at once: %+v, want fault %q", o, c.fault)
				}
			}
			o := drive(t, c.make(in, chat(t)), chunks...)
			if o.fault != c.fault || o.blocked {
				t.Errorf("%+v, want fault %q", o, c.fault)
			}
			if c.fault == "" && o.out != c.in {
				t.Errorf("released %q", o.out)
			}
		})
	}
}

// The end of a blocked stream fits what the client has seen: what was read
// with the block and never sent has not closed a choice.
func TestEnding(t *testing.T) {
	const object = `{"error":{"message":"m","type":"t","code":"c","param":null}}`
	const closing = `data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}` + "\n\n"
	d := newDirection(t, (*Inspector).Stream)
	if s, err := d.Write(context.Background(), []byte(sse(delta("0", "hi. ")))); err != nil || len(s.Release) == 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	s, err := d.Write(context.Background(), []byte(sse(finished, delta("1", "codename nightjar "))))
	if err != nil || !s.Blocked {
		t.Fatalf("%+v, %v", s, err)
	}
	if got := string(d.Ending(nil, decode.Failure{Message: "m", Type: "t", Code: "c"})); got != closing+"data: "+object+"\n\n" {
		t.Errorf("ending %q", got)
	}
}
