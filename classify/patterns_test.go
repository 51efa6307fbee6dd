package classify

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/difflabai/confidential-safety/verdict"
)

func compile(t testing.TB, phrases ...string) *Patterns {
	t.Helper()
	var rules []Rule
	for _, p := range phrases {
		rules = append(rules, Rule{Pattern{Text: p, Confidence: 0.95}, verdict.Weapons, "test"})
	}
	c, err := NewPatterns(rules)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// scanAll feeds text in the given pieces and returns the matches and the
// cleared position after each piece.
func scanAll(t testing.TB, s Scanner, pieces ...string) (matches []Match, cleared []int64) {
	t.Helper()
	ctx := context.Background()
	for _, p := range pieces {
		var c int64
		var err error
		if matches, c, err = s.Write(ctx, []byte(p), matches); err != nil {
			t.Fatal(err)
		}
		cleared = append(cleared, c)
	}
	matches, err := s.Close(ctx, matches)
	if err != nil {
		t.Fatal(err)
	}
	return matches, cleared
}

func found(text string, matches []Match) (got []string) {
	for _, m := range matches {
		got = append(got, text[m.Start:m.End])
	}
	return got
}

func TestPatterns(t *testing.T) {
	p := compile(t, "pipe bomb", "bomb", "pipe bomb kit", "nerve agent", "ricin", "神经毒剂", "Straße", "bombe atomique")
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"none", "a walk in the park", nil},
		{"plain", "one ricin two", []string{"ricin"}},
		{"at the edges", "ricin", []string{"ricin"}},
		{"inside a word", "pricing and ricinus", nil},
		{"beside punctuation", "(ricin),", []string{"ricin"}},
		{"beside a digit", "ricin2", nil},
		{"overlapping", "a pipe bomb kit", []string{"pipe bomb", "bomb", "pipe bomb kit"}},
		{"longest is no word", "a pipe bomb kitten", []string{"pipe bomb", "bomb"}},
		{"case", "NERVE Agent", []string{"NERVE Agent"}},
		{"white space", "nerve \t\n  agent", []string{"nerve \t\n  agent"}},
		{"no-break space", "nerve\u00a0agent", []string{"nerve\u00a0agent"}},
		{"zero width", "ner\u200bve agent", []string{"ner\u200bve agent"}},
		{"soft hyphen", "ner\u00adve agent", []string{"ner\u00adve agent"}},
		{"full width", "\uff4e\uff45\uff52\uff56\uff45 agent", []string{"\uff4e\uff45\uff52\uff56\uff45 agent"}},
		{"combining marks", "r\u0301i\u0323cin", []string{"r\u0301i\u0323cin"}},
		{"precomposed", "rícin", []string{"rícin"}},
		{"tags", "ner\U000e0076e agent", []string{"ner\U000e0076e agent"}},
		{"unassigned and invisible", "n\u2065e\ufff0r\U000e0080ve agent", []string{"n\u2065e\ufff0r\U000e0080ve agent"}},
		{"blank of Braille", "nerve\u2800agent", []string{"nerve\u2800agent"}},
		{"Hangul", "\ud55c ricin", []string{"ricin"}},
		{"control character", "ner\x1fve agent", []string{"ner\x1fve agent"}},
		{"no spaces in Chinese", "关于神经毒剂的", []string{"神经毒剂"}},
		{"german", "die STRASSE und die straße", []string{"straße"}},
		{"ligature", "ﬁne ricin", []string{"ricin"}},
		{"twice", "ricin ricin", []string{"ricin", "ricin"}},
		{"common beginning", "bombe atomique", []string{"bombe atomique"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			matches, _ := scanAll(t, p.NewScanner(verdict.PreInferenceGate), tc.text)
			if got := found(tc.text, matches); !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// Whatever the split, the matches are the same, none starts before what was
// cleared earlier, and no more is held back than the longest phrase.
func TestPatternsSplits(t *testing.T) {
	p := compile(t, "pipe bomb", "bomb", "pipe bomb kit", "nerve agent", "神经毒剂", "naïve bayes")
	text := "How to: pipe  bomb kit? A ner\u200bve\u00a0agent, 神经毒剂。 Nai\u0308ve bayes, a bomb\u0301! pipe bom"
	want, _ := scanAll(t, p.NewScanner(verdict.PreInferenceGate), text)
	if len(want) != 7 {
		t.Fatalf("%d matches: %q", len(want), found(text, want))
	}
	s := p.NewScanner(verdict.PreInferenceGate)
	for i := range len(text) {
		for j := i; j <= len(text); j++ {
			got, cleared := scanAll(t, s, text[:i], text[i:j], text[j:])
			if !slices.Equal(got, want) {
				t.Fatalf("split at %d and %d: got %q, want %q", i, j, found(text, got), found(text, want))
			}
			if !slices.IsSorted(cleared) {
				t.Fatalf("cleared %v", cleared)
			}
		}
	}
	// Byte by byte: a match's text is never cleared before it is reported.
	ctx := context.Background()
	var clearedSoFar int64
	for i := range len(text) {
		matches, cleared, err := s.Write(ctx, []byte{text[i]}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range matches {
			if m.Start < clearedSoFar {
				t.Errorf("match %q at %d was cleared up to %d", text[m.Start:m.End], m.Start, clearedSoFar)
			}
		}
		clearedSoFar = cleared
		if held := text[cleared : i+1]; utf8.ValidString(held) && len(fold(held)) > p.longest {
			t.Errorf("%q held, the longest phrase has %d bytes", held, p.longest)
		}
	}
}

// A part that is settled and goes on after all: what is complete is told at the
// settling, what has begun is still found, and nothing is told twice.
func TestSettle(t *testing.T) {
	p := compile(t, "pipe bomb", "pipe bomb kit", "nerve agent")
	for _, tc := range []struct {
		before, after string
		at, later     []string
	}{
		{"a pipe", " bomb!", nil, []string{"pipe bomb"}},
		{"a pipe bomb", "!", []string{"pipe bomb"}, nil},
		{"a pipe bomb", " kit", []string{"pipe bomb"}, []string{"pipe bomb kit"}},
		{"a pipe bomb", "s", []string{"pipe bomb"}, nil},
		{"a ner", "ve agent", nil, []string{"nerve agent"}},
		{"nothing", " of it", nil, nil},
	} {
		ctx := context.Background()
		s := p.NewScanner(verdict.PostInferenceGate)
		text := tc.before + tc.after
		matches, _, err := s.Write(ctx, []byte(tc.before), nil)
		if err != nil || len(matches) > 0 {
			t.Fatalf("%q: %v, %v", tc.before, matches, err)
		}
		if matches, err = s.Settle(ctx, matches); err != nil || !slices.Equal(found(text, matches), tc.at) {
			t.Errorf("%q settled: %q, %v", tc.before, found(text, matches), err)
		}
		matches, cleared, err := s.Write(ctx, []byte(tc.after), nil)
		if err != nil || cleared < int64(len(tc.before)) {
			t.Errorf("%q: cleared %d, %v", text, cleared, err)
		}
		if matches, err = s.Close(ctx, matches); err != nil || !slices.Equal(found(text, matches), tc.later) {
			t.Errorf("%q closed: %q, %v", text, found(text, matches), err)
		}
	}
}

func TestHoldBackIsExact(t *testing.T) {
	p := compile(t, "pipe bomb kit", "bombing raid", "uranium enrichment cascade")
	for _, tc := range []struct {
		text string
		held string
	}{
		{"hello world", ""},
		{"hello p", "p"},
		{"hello pi", "pi"},
		{"hello pix", ""},
		{"a pipe bomb", "pipe bomb"},
		{"a pipe bomb k", "pipe bomb k"},
		{"a pipe bombing ra", "bombing ra"},
		{"a pipe bomb kit", "pipe bomb kit"},
		{"a pipe bomb kit ", ""},
		{"xpipe", ""},
		{"the uranium enrichment c", "uranium enrichment c"},
		{"the uranium enrichment d", ""},
	} {
		_, cleared, err := p.NewScanner(verdict.PreInferenceGate).Write(context.Background(), []byte(tc.text), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := tc.text[cleared:]; got != tc.held {
			t.Errorf("%q: held %q, want %q", tc.text, got, tc.held)
		}
	}
}

// reference finds phrases by brute force.
func reference(p *Patterns, text string) (want []Match) {
	var f folder
	f.write([]byte(text))
	f.close()
	for i := range f.out {
		for _, ph := range p.phrases {
			if !bytes.HasPrefix(f.out[i:], ph.text) {
				continue
			}
			j := i + len(ph.text)
			a, _ := utf8.DecodeLastRune(f.out[:i])
			b, _ := utf8.DecodeRune(f.out[i:])
			c, _ := utf8.DecodeLastRune(f.out[:j])
			d, _ := utf8.DecodeRune(f.out[j:])
			if i > 0 && within(a, b) || j < len(f.out) && within(c, d) {
				continue
			}
			from, to := f.source(int64(i), int64(j))
			for _, fd := range ph.findings {
				want = append(want, Match{Finding: fd, Start: from, End: to})
			}
		}
	}
	return want
}

func FuzzPatterns(f *testing.F) {
	p := compile(f, "ab", "ab cd", "ab cd ef gh ij kl", "cd ef", "b c", "äöü", "毒剂", "ab cd ef gh ij kl mn", "a-b")
	f.Add("ab cd ef gh ij kl mn", 3)
	f.Add("ÄÖÜ ab  cd\u200b ef毒剂毒剂a\u0308ou", 1)
	f.Fuzz(func(t *testing.T, text string, step int) {
		if step < 1 || step > 64 || len(text) > 4096 {
			t.Skip("out of the interesting range")
		}
		fuzzPatterns(t, p, text, step)
	})
}

// The same with beginnings that are long enough to be told by their heads, and
// with so many of them that these tell little.
func FuzzPatternHeads(f *testing.F) {
	phrases := []string{"abc", "abc def", "abcd ef gh ij kl", "cde f", "äöü", "毒剂", "ab cd ef gh ij kl mn", "a-b-c"}
	few, many := compile(f, phrases...), compile(f, append(phrases, randomPhrases(7000)...)...)
	if !few.heads.useful || many.heads.useful {
		f.Fatal("the wrong way is tested")
	}
	f.Add("ab cd ef gh ij kl mn abc def", 3)
	f.Add("ÄÖÜ ab  cd\u200b ef毒剂毒剂a\u0308ou ABCD-ef abc\u00e9 éabc", 1)
	f.Fuzz(func(t *testing.T, text string, step int) {
		if step < 1 || step > 64 || len(text) > 4096 {
			t.Skip("out of the interesting range")
		}
		fuzzPatterns(t, few, text, step)
		fuzzPatterns(t, many, text, step)
	})
}

// fuzzPatterns reads a text in steps and compares with brute force.
func fuzzPatterns(t *testing.T, p *Patterns, text string, step int) {
	t.Helper()
	s := p.NewScanner(verdict.PreInferenceGate)
	var got []Match
	var before int64
	for rest := []byte(text); len(rest) > 0; {
		n := min(step, len(rest))
		seen := len(got)
		var cleared int64
		var err error
		if got, cleared, err = s.Write(t.Context(), rest[:n], got); err != nil {
			t.Fatal(err)
		}
		for _, m := range got[seen:] {
			if m.Start < before {
				t.Fatalf("match at %d was cleared up to %d", m.Start, before)
			}
		}
		if cleared < before {
			t.Fatalf("cleared fell from %d to %d", before, cleared)
		}
		before, rest = cleared, rest[n:]
	}
	got, err := s.Close(t.Context(), got)
	if err != nil {
		t.Fatal(err)
	}
	want := reference(p, text)
	order := func(a, b Match) int {
		return strings.Compare(fmt.Sprintf("%9d %9d", a.Start, a.End), fmt.Sprintf("%9d %9d", b.Start, b.End))
	}
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	if !slices.Equal(got, want) {
		t.Fatalf("%q: got %v, want %v", text, spans(got), spans(want))
	}
}

func spans(ms []Match) (s []string) {
	for _, m := range ms {
		s = append(s, fmt.Sprintf("%d-%d", m.Start, m.End))
	}
	return s
}

func TestNoAllocation(t *testing.T) {
	p := compile(t, "pipe bomb kit", "nerve agent", "how to make a bomb")
	s := p.NewScanner(verdict.PreInferenceGate)
	ctx := context.Background()
	chunks := [][]byte{[]byte(" the"), []byte(" quick"), []byte(" pipe"), []byte(" fox"), []byte(" über")}
	var dst []Match
	i := 0
	write := func() {
		i++
		if _, _, err := s.Write(ctx, chunks[i%len(chunks)], dst); err != nil {
			t.Fatal(err)
		}
	}
	for range 1000 {
		write()
	}
	if n := testing.AllocsPerRun(1000, write); n > 0 {
		t.Errorf("%v allocations a chunk", n)
	}
}

func randomPhrases(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		b := make([]byte, 3+r.IntN(7))
		for i := range b {
			b[i] = byte('a' + r.IntN(26))
		}
		return string(b)
	}
	phrases := make([]string, n)
	for i := range phrases {
		phrases[i] = word() + " " + word() + " " + word() + " " + word()
	}
	return phrases
}

const english = "The history of the city begins long before its walls were built, with a ford, a market and a small wooden church. "

func BenchmarkPatterns(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		p := compile(b, randomPhrases(n)...)
		for _, size := range []int{5, 200, 1 << 16} {
			b.Run(fmt.Sprintf("patterns=%d/chunk=%d", n, size), func(b *testing.B) {
				text := []byte(strings.Repeat(english, size/len(english)+2))
				s := p.NewScanner(verdict.PreInferenceGate)
				ctx := context.Background()
				b.SetBytes(int64(size))
				b.ReportAllocs()
				at := 0
				for b.Loop() {
					if at+size > len(text) {
						at = 0
					}
					if _, _, err := s.Write(ctx, text[at:at+size], nil); err != nil {
						b.Fatal(err)
					}
					at += size
				}
			})
		}
	}
}

// Hostile text costs what other text costs: with a search through all that was
// read for each match this takes minutes.
func TestManyMatches(t *testing.T) {
	p := compile(t, "purple giraffe")
	const n = 300_000
	matches, _ := scanAll(t, p.NewScanner(verdict.PreInferenceGate), strings.Repeat("\u00e9 purple giraffe ", n))
	if len(matches) != n {
		t.Errorf("%d matches, want %d", len(matches), n)
	}
}

// One large text is not held, nor what its characters fold into.
func TestLargeTextIsLetGo(t *testing.T) {
	p := compile(t, "purple giraffe")
	s := p.NewScanner(verdict.PreInferenceGate)
	for _, text := range []string{"\ufdfa", "\u00e9", "a\u00e9", "purple girafe "} {
		if _, _ = scanAll(t, s, strings.Repeat(text, (1<<20)/len(text))); cap(s.(*patternScanner).f.out) > 1<<20 || cap(s.(*patternScanner).f.segs) > 1<<16 {
			t.Errorf("%q: %d bytes and %d segments are held", text, cap(s.(*patternScanner).f.out), cap(s.(*patternScanner).f.segs))
		}
	}
}
