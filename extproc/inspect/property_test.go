package inspect

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// Random words in random deltas of several choices, in random chunks: each
// choice reads as its own text with every phrase replaced, and nothing else of
// the stream changed.
func TestStreamProperty(t *testing.T) {
	words := []string{"the ", "project ", "heron ", "project heron ", "grüner Reiher ", "heron nest survey ", "pro ", "nest ", "日本 ", "x. "}
	redact := strings.NewReplacer("project heron nest survey ", "[REDACTED] ", "project heron ", "[REDACTED] ",
		"grüner Reiher ", "[REDACTED] ", "heron nest survey ", "[REDACTED] ")
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		texts := make([]string, 1+r.IntN(3))
		for i := range texts {
			for range 1 + r.IntN(12) {
				texts[i] += words[r.IntN(len(words))]
			}
		}
		in := randomStream(r, texts)
		o := drive(t, newDirection(t, (*Inspector).Stream), randomChunks(r, in)...)
		if o.blocked || o.fault != "" {
			t.Fatalf("seed %d: %+v", seed, o)
		}
		got := readStream(t, o.out, len(texts))
		for i := range texts {
			if want := redact.Replace(texts[i]); got[i] != want {
				t.Errorf("seed %d, choice %d: %q\n became %q\n want  %q", seed, i, texts[i], got[i], want)
			}
		}
		// With the contents taken out, the streams are the same bytes.
		if a, b := skeleton(in), skeleton(o.out); a != b {
			t.Errorf("seed %d: the frame changed:\n%q\n%q", seed, a, b)
		}
	}
}

func randomStream(r *rand.Rand, texts []string) string {
	rest := make([][]rune, len(texts))
	left := 0
	for i, s := range texts {
		rest[i] = []rune(s)
		left += len(rest[i])
	}
	var b strings.Builder
	for left > 0 {
		i := r.IntN(len(rest))
		n := min(len(rest[i]), r.IntN(7))
		var inside strings.Builder
		for _, c := range rest[i][:n] {
			if r.IntN(4) == 0 {
				fmt.Fprintf(&inside, `\u%04x`, c)
			} else {
				inside.WriteRune(c)
			}
		}
		rest[i] = rest[i][n:]
		left -= n
		b.WriteString(sse(delta(fmt.Sprint(i), inside.String())))
	}
	return b.String()
}

func randomChunks(r *rand.Rand, s string) (chunks []string) {
	for len(s) > 0 {
		n := min(len(s), 1+r.IntN(1<<r.IntN(10)))
		chunks = append(chunks, s[:n])
		s = s[n:]
	}
	return chunks
}

// readStream reads a stream as a client would, with another decoder than ours.
func readStream(t *testing.T, s string, choices int) []string {
	t.Helper()
	texts := make([]string, choices)
	for event := range strings.SplitSeq(strings.TrimSuffix(s, "\n\n"), "\n\n") {
		var v struct {
			Choices []struct {
				Index int
				Delta struct{ Content string }
			}
		}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(event, "data: ")), &v); err != nil {
			t.Fatalf("%v in %q", err, event)
		}
		for _, c := range v.Choices {
			texts[c.Index] += c.Delta.Content
		}
	}
	return texts
}

func skeleton(s string) string {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(s, `"content":"`)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		_, s, _ = strings.Cut(after, `"`)
	}
}

// What went out is never taken back: each release only adds to what a client
// that was cut off there has, and is a beginning of the whole.
func TestReleasedStays(t *testing.T) {
	for name, c := range streams {
		for at := range len(c.in) {
			d := newDirection(t, (*Inspector).Stream)
			s, err := d.Write(t.Context(), []byte(c.in[:at]))
			if err != nil || !strings.HasPrefix(c.want, string(s.Release)) {
				t.Fatalf("%s: the first %d bytes let out %q, %v", name, at, s.Release, err)
			}
		}
	}
}
