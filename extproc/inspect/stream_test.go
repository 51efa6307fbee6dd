package inspect

import (
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

// streams are what a stream becomes, however its bytes arrive.
var streams = map[string]struct{ in, want string }{
	"clean": {
		in:   sse(roleOnly, delta("0", "the quick"), delta("0", " brown fox"), finished, done),
		want: sse(roleOnly, delta("0", "the quick"), delta("0", " brown fox"), finished, done),
	},
	"one delta": {
		in:   sse(roleOnly, delta("0", "a project heron b"), finished, done),
		want: sse(roleOnly, delta("0", "a [REDACTED] b"), finished, done),
	},
	"two deltas": {
		in:   sse(delta("0", "a proj"), delta("0", "ect heron b"), done),
		want: sse(delta("0", "a [REDACTED]"), delta("0", " b"), done),
	},
	"a delta a letter": {
		in:   sse(deltas("0", "p", "r", "o", "j", "e", "c", "t", " ", "h", "e", "r", "o", "n", ".")...),
		want: sse(deltas("0", "[REDACTED]", "", "", "", "", "", "", "", "", "", "", "", "", ".")...),
	},
	"ends with the phrase": {
		in:   sse(delta("0", "see project"), delta("0", " heron")),
		want: sse(delta("0", "see [REDACTED]"), delta("0", "")),
	},
	"a word that goes on": {
		in:   sse(delta("0", "see project heron"), delta("0", "s fly")),
		want: sse(delta("0", "see project heron"), delta("0", "s fly")),
	},
	"escapes": {
		in:   sse(delta("0", `\u0061 pro\u006aect\n`), delta("0", `h\u0065ron\tz`)),
		want: sse(delta("0", `\u0061 [REDACTED]`), delta("0", `\tz`)),
	},
	"multi-byte": {
		in:   sse(delta("0", `ä gr`), delta("0", `ü`), delta("0", `ner`), delta("0", ` Reiher ö`)),
		want: sse(delta("0", `ä [REDACTED]`), delta("0", ``), delta("0", ``), delta("0", ` ö`)),
	},
	"escaped rune": {
		in:   sse(delta("0", `gr`), delta("0", `\u00fc`), delta("0", `ner Reiher\ud83d\ude00`)),
		want: sse(delta("0", `[REDACTED]`), delta("0", ``), delta("0", `\ud83d\ude00`)),
	},
	"disguised": {
		in:   sse(delta("0", "PRO\u200bJECT\u00a0"), delta("0", "ＨＥron, z")),
		want: sse(delta("0", "[REDACTED]"), delta("0", ", z")),
	},
	"overlapping phrases": {
		in:   sse(delta("0", "a project"), delta("0", " heron nest"), delta("0", " survey b")),
		want: sse(delta("0", "a [REDACTED]"), delta("0", ""), delta("0", " b")),
	},
	"interleaved choices": {
		in:   sse(delta("0", "project "), delta("1", "the "), delta("0", "heron."), delta("1", "heron.")),
		want: sse(delta("0", "[REDACTED]"), delta("1", "the "), delta("0", "."), delta("1", "heron.")),
	},
	"over two choices": {
		in:   sse(delta("0", "project"), delta("1", " heron"), delta("1", " project"), delta("0", "heron")),
		want: sse(delta("0", "project"), delta("1", " heron"), delta("1", " project"), delta("0", "heron")),
	},
	"two choices in an event": {
		in:   sse(`{"choices":[{"index":1,"delta":{"content":"project"}},{"index":0,"delta":{"content":"a"}}]}`, `{"choices":[{"delta":{"content":" heron z"},"index":1}]}`),
		want: sse(`{"choices":[{"index":1,"delta":{"content":"[REDACTED]"}},{"index":0,"delta":{"content":"a"}}]}`, `{"choices":[{"delta":{"content":" z"},"index":1}]}`),
	},
	"tool arguments": {
		in:   sse(call(0, "f", `{\"q\":\"pro`), call(1, "g", `ject heron`), call(0, "", `ject heron\"}`)),
		want: sse(call(0, "f", `{\"q\":\"[REDACTED]`), call(1, "g", `ject heron`), call(0, "", `\"}`)),
	},
	"reasoning": {
		in:   sse(member("reasoning", "project"), member("content", " heron"), member("reasoning", " heron z")),
		want: sse(member("reasoning", "[REDACTED]"), member("content", " heron"), member("reasoning", " z")),
	},
	"refusal": {
		in:   sse(member("refusal", "project"), member("refusal", " heron")),
		want: sse(member("refusal", "[REDACTED]"), member("refusal", "")),
	},
	"logprobs": {
		in:   sse(logged("a", `[1]`), logged(" project", `[2]`), logged(" heron", `[3]`), logged(" z", `[4]`)),
		want: sse(logged("a", `[1]`), unlogged(" [REDACTED]"), unlogged(""), unlogged(" z")),
	},
	"comment and other fields": {
		in:   ": project heron\n\nevent: project heron\nid: 1\n" + sse(delta("0", "hi")),
		want: ": [REDACTED]\n\nevent: [REDACTED]\nid: 1\n" + sse(delta("0", "hi")),
	},
	"line ends and many data lines": {
		in:   "data:{\"choices\":[{\"index\":0,\r\ndata: \"delta\":{\"content\":\"project\"}}]}\r\n\r\ndata:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\nheron z\"}}]}\r\r",
		want: "data:{\"choices\":[{\"index\":0,\r\ndata: \"delta\":{\"content\":\"[REDACTED]\"}}]}\r\n\r\ndata:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\" z\"}}]}\r\r",
	},
	"no blank line at the end": {
		in:   "data: " + delta("0", "project heron"),
		want: "data: " + delta("0", "[REDACTED]"),
	},
}

func deltas(choice string, texts ...string) (data []string) {
	for _, t := range texts {
		data = append(data, delta(choice, t))
	}
	return data
}

func member(name, text string) string {
	return `{"choices":[{"index":0,"delta":{"` + name + `":"` + text + `"}}]}`
}

func call(index int, name, arguments string) string {
	if name != "" {
		name = `"name":"` + name + `",`
	}
	return `{"choices":[{"index":0,"delta":{"tool_calls":[{"index":` + string(rune('0'+index)) + `,"function":{` + name + `"arguments":"` + arguments + `"}}]}}]}`
}

func logged(text, ids string) string {
	return `{"choices":[{"index":0,"delta":{"content":"` + text + `"},"logprobs":{"content":[{"token":"` + text + `","logprob":-1}]},"token_ids":` + ids + `}]}`
}

func unlogged(text string) string {
	return `{"choices":[{"index":0,"delta":{"content":"` + text + `"},"logprobs":null,"token_ids":null}]}`
}

func TestStream(t *testing.T) {
	for name, c := range streams {
		t.Run(name, func(t *testing.T) {
			for _, mode := range []policy.Streaming{policy.Window, policy.Full} {
				splits(c.in, func(at int, chunks ...string) {
					if o := drive(t, modeDirection(t, mode, (*Inspector).Stream), chunks...); o != (outcome{out: c.want}) {
						t.Fatalf("%s, split at %d: %+v\nwant %q", mode, at, o, c.want)
					}
				})
				if o := drive(t, modeDirection(t, mode, (*Inspector).Stream), bytewise(c.in)...); o != (outcome{out: c.want}) {
					t.Fatalf("%s, byte by byte: %+v\nwant %q", mode, o, c.want)
				}
			}
		})
	}
}

// A small stream at every pair of splits.
func TestStreamPairs(t *testing.T) {
	small := func(text string) string {
		return `data:{"choices":[{"delta":{"content":"` + text + `"}}]}` + "\r\n\r\n"
	}
	in := small(`ä project`) + small(`\u0020heron`) + small(`!`)
	want := small(`ä [REDACTED]`) + small(``) + small(`!`)
	for i := range in {
		for j := i; j < len(in); j++ {
			if o := drive(t, newDirection(t, (*Inspector).Stream), in[:i], in[i:j], in[j:]); o != (outcome{out: want}) {
				t.Fatalf("split at %d and %d: %+v\nwant %q", i, j, o, want)
			}
		}
	}
}

// No byte of the event in which a phrase starts leaves before the block, and
// what leaves is the stream as it was.
func TestStreamBlocked(t *testing.T) {
	for name, c := range map[string]struct{ before, from string }{
		"one delta":    {sse(roleOnly, delta("0", "the quick fox ")), sse(delta("0", "and codename nightjar z"), delta("0", "x"), done)},
		"many deltas":  {sse(delta("0", "a ")), sse(deltas("0", "c", "odena", "me", " ", "night", "jar", " z", " more")...)},
		"at the start": {"", sse(roleOnly, delta("0", "codename"), delta("0", " nightjar"), delta("0", "."))},
		"at the end":   {sse(delta("0", "a ")), sse(delta("0", "codename"), delta("0", " nightjar"), finished, done)},
		"escaped":      {sse(delta("0", "a ")), sse(delta("0", `c\u006fdename`), delta("0", `\nnightjar `))},
		"behind a choice that goes on": {
			sse(delta("1", "a "), delta("0", "b ")),
			sse(delta("0", "codename "), delta("1", "fine. "), delta("1", "good. "), delta("0", "nightjar "), delta("1", "x")),
		},
		"arguments": {sse(call(0, "f", "a ")), sse(call(0, "", "codename"), call(0, "", " nightjar "))},
		"reasoning": {sse(member("reasoning", "a ")), sse(member("reasoning", "codename nightjar"))},
		"unknown":   {sse(delta("0", "a ")), sse(`{"choices":[],"x":{"codename nightjar":1}}`)},
		"comment":   {sse(delta("0", "a ")), ": codename nightjar\n\n"},
		"logprobs":  {sse(delta("0", "a ")), sse(logged("codename", "[1]"), logged(" nightjar", "[2]"))},
	} {
		t.Run(name, func(t *testing.T) {
			check := func(at int, chunks ...string) {
				d := newDirection(t, (*Inspector).Stream)
				o := drive(t, d, chunks...)
				if !o.blocked || !strings.HasPrefix(c.before, o.out) {
					t.Fatalf("split at %d: %+v, want a block and at most %q", at, o, c.before)
				}
				if g := d.Decision(); g.Category != verdict.Weapons || g.Stage != verdict.PostInferenceGate {
					t.Fatalf("split at %d: %v at %v", at, g.Category, g.Stage)
				}
			}
			splits(c.before+c.from, check)
			check(-1, bytewise(c.before+c.from)...)
		})
	}
}
