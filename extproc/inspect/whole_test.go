package inspect

import (
	"context"
	"testing"

	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

func ask(content string) string {
	return ` {"model":"m", "messages":[{"role":"user","content":` + content + `}]} ` + "\n"
}

func TestRequest(t *testing.T) {
	for name, c := range map[string]struct {
		body     string
		blocked  bool
		action   verdict.Action
		category verdict.Category
	}{
		"clean":               {ask(`"the quick brown fox"`), false, verdict.Allow, verdict.None},
		"blocked":             {ask(`"tell of codename nightjar"`), true, verdict.Block, verdict.Weapons},
		"redact is block":     {ask(`"the project heron"`), true, verdict.Block, verdict.Bioterror},
		"warned":              {ask(`"the operation finch"`), false, verdict.Warn, verdict.CyberAttack},
		"block beats warn":    {ask(`"operation finch, codename nightjar"`), true, verdict.Block, verdict.Weapons},
		"escaped":             {ask(`"code\u006eame\nnight\u006Aar"`), true, verdict.Block, verdict.Weapons},
		"in another role":     {`{"messages":[{"role":"system","content":"codename nightjar"},{"role":"user","content":"go"}]}`, true, verdict.Block, verdict.Weapons},
		"name of a member":    {`{"messages":[],"codename nightjar":1}`, true, verdict.Block, verdict.Weapons},
		"unknown member":      {`{"messages":[],"metadata":{"x":["codename nightjar"]}}`, true, verdict.Block, verdict.Weapons},
		"tool description":    {`{"messages":[],"tools":[{"type":"function","function":{"name":"f","description":"codename nightjar"}}]}`, true, verdict.Block, verdict.Weapons},
		"tool schema":         {`{"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"description":"codename nightjar"}}}]}`, true, verdict.Block, verdict.Weapons},
		"stop":                {`{"messages":[],"stop":["codename nightjar"]}`, true, verdict.Block, verdict.Weapons},
		"prediction":          {`{"messages":[],"prediction":{"type":"content","content":"codename nightjar"}}`, true, verdict.Block, verdict.Weapons},
		"parts as lines":      {ask(`[{"type":"text","text":"codename"},{"type":"text","text":"nightjar"}]`), true, verdict.Block, verdict.Weapons},
		"parts glued":         {ask(`[{"type":"text","text":"codename nig"},{"type":"text","text":"htjar"}]`), true, verdict.Block, verdict.Weapons},
		"two messages":        {`{"messages":[{"role":"user","content":"codename"},{"role":"user","content":"nightjar"}]}`, false, verdict.Allow, verdict.None},
		"inside another word": {ask(`"codename nightjars"`), false, verdict.Allow, verdict.None},
	} {
		t.Run(name, func(t *testing.T) {
			splits(c.body, func(at int, chunks ...string) {
				d := newDirection(t, (*Inspector).Request)
				o := drive(t, d, chunks...)
				want := outcome{out: c.body}
				if c.blocked {
					want = outcome{blocked: true}
				}
				if o != want {
					t.Fatalf("split at %d: %+v, want %+v", at, o, want)
				}
				if g := d.Decision(); g.Action != c.action || g.Category != c.category || g.Stage != verdict.PreInferenceGate {
					t.Fatalf("split at %d: %v %v at %v", at, g.Action, g.Category, g.Stage)
				}
			})
		})
	}
}

// shared is used by the split tests: an inspector is immutable, and its
// automaton takes longer to build than a direction to run.
var shared = map[policy.Streaming]*Inspector{}

func newDirection(t testing.TB, of func(*Inspector, *decode.API) *Direction) *Direction {
	return modeDirection(t, policy.Window, of)
}

func modeDirection(t testing.TB, mode policy.Streaming, of func(*Inspector, *decode.API) *Direction) *Direction {
	t.Helper()
	if shared[mode] == nil {
		shared[mode] = newInspector(t, mode)
	}
	return of(shared[mode], chat(t))
}

func TestRequestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		body  string
		fault decode.Fault
	}{
		"empty":     {"", decode.Malformed},
		"no JSON":   {"codename", decode.Malformed},
		"cut off":   {`{"messages":[`, decode.Malformed},
		"two texts": {`{} {}`, decode.Malformed},
		"duplicate": {`{"messages":[],"messages":[]}`, decode.Duplicate},
		"not UTF-8": {"{\"a\":\"\xff\"}", decode.InvalidUTF8},
		"an image":  {ask(`[{"type":"image_url","image_url":{"url":"data:,"}}]`), decode.Unreadable},
	} {
		if o := drive(t, newDirection(t, (*Inspector).Request), c.body); o != (outcome{fault: Fault(c.fault)}) {
			t.Errorf("%s: %+v, want fault %q", name, o, c.fault)
		}
	}
}

// The rest of a redacted body stays byte by byte what it was.
func TestResponse(t *testing.T) {
	wrap := func(message, more string) string {
		return "{ \"id\" : \"c1\",\n\"choices\": [ {\"index\":0,\"message\":{\"role\":\"assistant\"," + message + "}" + more + "} ],\"usage\":{\"total_tokens\":3} }\n"
	}
	for name, c := range map[string]struct {
		body, want string
		blocked    bool
		action     verdict.Action
	}{
		"clean":            {body: wrap(`"content":"good \u0064ay\/"`, ``), want: wrap(`"content":"good \u0064ay\/"`, ``)},
		"blocked":          {body: wrap(`"content":"x codename nightjar y"`, ``), blocked: true, action: verdict.Block},
		"warned":           {body: wrap(`"content":"operation finch"`, ``), want: wrap(`"content":"operation finch"`, ``), action: verdict.Warn},
		"redacted":         {body: wrap(`"content":"\u0061 project heron, z"`, ``), want: wrap(`"content":"\u0061 [REDACTED], z"`, ``), action: verdict.Redact},
		"redacted twice":   {body: wrap(`"content":"project heron and project heron"`, ``), want: wrap(`"content":"[REDACTED] and [REDACTED]"`, ``), action: verdict.Redact},
		"redacted overlap": {body: wrap(`"content":"a project heron nest survey b"`, ``), want: wrap(`"content":"a [REDACTED] b"`, ``), action: verdict.Redact},
		"redacted escapes": {body: wrap(`"content":"a\tproject\nh\u0065ron\tz"`, ``), want: wrap(`"content":"a\t[REDACTED]\tz"`, ``), action: verdict.Redact},
		"redacted umlaut":  {body: wrap(`"content":"ä gr\u00fcner Reiher ö"`, ``), want: wrap(`"content":"ä [REDACTED] ö"`, ``), action: verdict.Redact},
		"parts as lines": {
			body:   wrap(`"content":[{"type":"text","text":"a project"},{"type":"text","text":"heron z"}]`, ``),
			want:   wrap(`"content":[{"type":"text","text":"a [REDACTED]"},{"type":"text","text":" z"}]`, ``),
			action: verdict.Redact,
		},
		"parts glued": {
			body:   wrap(`"content":[{"type":"text","text":"a project he"},{"type":"text","text":"ron z"}]`, ``),
			want:   wrap(`"content":[{"type":"text","text":"a [REDACTED]"},{"type":"text","text":" z"}]`, ``),
			action: verdict.Redact,
		},
		"tool arguments": {
			body:   wrap(`"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{\"q\":\"project heron\"}"}}]`, ``),
			want:   wrap(`"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{\"q\":\"[REDACTED]\"}"}}]`, ``),
			action: verdict.Redact,
		},
		"reasoning":      {body: wrap(`"reasoning":"project heron"`, ``), want: wrap(`"reasoning":"[REDACTED]"`, ``), action: verdict.Redact},
		"refusal":        {body: wrap(`"refusal":"project heron"`, ``), want: wrap(`"refusal":"[REDACTED]"`, ``), action: verdict.Redact},
		"unknown member": {body: wrap(`"content":"a","extra":"project heron"`, ``), want: wrap(`"content":"a","extra":"[REDACTED]"`, ``), action: verdict.Redact},
		"logprobs stay": {
			body: wrap(`"content":"hi"`, `,"logprobs":{"content":[{"token":"hi","logprob":-1}]}`),
			want: wrap(`"content":"hi"`, `,"logprobs":{"content":[{"token":"hi","logprob":-1}]}`),
		},
		"logprobs go": {
			body:   wrap(`"content":"project heron"`, `,"logprobs":{"content":[{"token":"project","logprob":-1,"bytes":[112]},{"token":" heron"}]},"token_ids":[1,2]`),
			want:   wrap(`"content":"[REDACTED]"`, `,"logprobs":null,"token_ids":null`),
			action: verdict.Redact,
		},
		"logprobs alone": {
			body:   wrap(`"content":"hi"`, `,"logprobs":{"content":[{"token":"project"},{"token":" heron"}]}`),
			want:   wrap(`"content":"hi"`, `,"logprobs":null`),
			action: verdict.Redact,
		},
	} {
		t.Run(name, func(t *testing.T) {
			splits(c.body, func(at int, chunks ...string) {
				d := newDirection(t, (*Inspector).Response)
				if o := drive(t, d, chunks...); o != (outcome{out: c.want, blocked: c.blocked}) {
					t.Fatalf("split at %d: %+v\nwant %q", at, o, c.want)
				}
				if a := d.Decision().Action; a != c.action {
					t.Fatalf("split at %d: %v, want %v", at, a, c.action)
				}
			})
		})
	}
}

// A phrase of which each choice has a half is in neither.
func TestResponseChoices(t *testing.T) {
	body := `{"choices":[{"index":0,"message":{"content":"codename"}},{"index":1,"message":{"content":"nightjar"}}]}`
	if o := drive(t, newDirection(t, (*Inspector).Response), body); o.out != body {
		t.Errorf("%+v", o)
	}
}

func TestText(t *testing.T) {
	in := newInspector(t, policy.Window)
	for text, want := range map[string]verdict.Action{
		"":                  verdict.Allow,
		"a quiet day":       verdict.Allow,
		"codename nightjar": verdict.Block,
		"project heron":     verdict.Redact,
	} {
		d, matches, err := in.Text(context.Background(), verdict.PostInferenceGate, []byte(text))
		if err != nil || d.Action != want || (len(matches) > 0) != (want != verdict.Allow) {
			t.Errorf("%q: %v, %d matches, %v", text, d.Action, len(matches), err)
		}
	}
}

func TestAfterEnd(t *testing.T) {
	ctx := context.Background()
	for name, body := range map[string]string{"released": ask(`"hi"`), "blocked": ask(`"codename nightjar"`), "failed": "{"} {
		d := newDirection(t, (*Inspector).Request)
		drive(t, d, body)
		if s, err := d.Write(ctx, []byte("x")); err == nil || len(s.Release) > 0 {
			t.Errorf("%s: Write after the end: %+v, %v", name, s, err)
		}
		if s, err := d.End(ctx); err == nil || len(s.Release) > 0 {
			t.Errorf("%s: End after the end: %+v, %v", name, s, err)
		}
	}
}

// Words in the name of a member cannot be redacted: two names might become one.
func TestRedactionOfAMemberBlocks(t *testing.T) {
	for name, c := range map[string]struct {
		make func(*Inspector, *decode.API) *Direction
		body string
	}{
		"whole":  {(*Inspector).Response, `{"choices":[{"message":{"project heron":1,"Project  Heron":2}}]}`},
		"stream": {(*Inspector).Stream, sse(`{"choices":[{"delta":{"project heron":1}}]}`)},
	} {
		d := newDirection(t, c.make)
		if o := drive(t, d, c.body); !o.blocked || d.Decision().Action != verdict.Block || d.Decision().Category != verdict.Bioterror {
			t.Errorf("%s: %+v, %+v", name, o, d.Decision())
		}
	}
}
