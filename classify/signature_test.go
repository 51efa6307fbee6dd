package classify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/verdict"
)

// signed compiles a pattern file.
func signed(t testing.TB, file string) (*Patterns, []Rule) {
	t.Helper()
	list, err := ParsePatterns("rules.txt", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	rules := make([]Rule, len(list))
	for i, p := range list {
		rules[i] = Rule{p, verdict.Weapons, "test"}
	}
	p, err := NewPatterns(rules)
	if err != nil {
		t.Fatal(err)
	}
	return p, rules
}

const zoo = `a purple giraffe
@set animal
giraffe, walrus, 海象
{bird}
@end
@set bird
nightjar, penguin*
@end
@set deed
paint*, steal, to steal from, raid the city
@end
@set place
zoo, city hall
@end
@set care
vet, doctor
@end
@set colour
purple
@end

@rule far
confidence 0.9
all {animal} {deed}
near 20
hit paint the walrus
miss paint the wall
@end
@rule cared
confidence 0.8
all {animal} {deed}
any {place}
near 40
unless {care}
weight {colour} 0.03
stage input
lang en
hit steal the walrus of the zoo
miss steal the walrus of the zoo, says the vet
@end
@rule ordered
confidence 0.7
then {deed} {place}
near 30
stage output
hit steal the city hall
miss the city hall will steal
@end
`

func TestSignatures(t *testing.T) {
	p, rules := signed(t, zoo)
	if err := p.CheckExamples(t.Context(), rules); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, text string
		output     bool
		want       []string
	}{
		{"a subject alone", "the walrus", false, nil},
		{"an intent alone", "painting", false, nil},
		{"both", "Painting of a walrus.", false, []string{"far 0.9 Painting of a walrus"}},
		{"the other way around", "a walrus to PAINT", false, []string{"far 0.9 walrus to PAINT"}},
		{"as far as may be", "paint 1234567 walrus", false, []string{"far 0.9 paint 1234567 walrus"}},
		{"too far", "paint 12345678 walrus", false, nil},
		{"space is no distance", "paint  \n      1234567 \u200b\u00ad\u200b     walrus", false, []string{"far 0.9 paint  \n      1234567 \u200b\u00ad\u200b     walrus"}},
		{"no distance in bytes", "paint äöüäöüä walrus", false, []string{"far 0.9 paint äöüäöüä walrus"}},
		{"inside a word", "repaint the walrus", false, nil},
		{"not a stem", "stealing a walrus", false, nil},
		{"a set in a set", "steal penguins", false, []string{"far 0.9 steal penguins"}},
		{"no spaces", "paint海象", false, []string{"far 0.9 paint海象"}},
		{"the nearest of several", "steal a walrus, a walrus", false, []string{"far 0.9 steal a walrus"}},
		{"disguised", "s\u200bteal a wa\u0301lrus", false, []string{"far 0.9 s\u200bteal a wa\u0301lrus"}},
		{"one of any", "steal a walrus of the zoo", false, []string{"cared 0.8 steal a walrus of the zoo", "far 0.9 steal a walrus"}},
		{"weight", "steal a purple nightjar of the zoo", false, []string{"cared 0.83 steal a purple nightjar of the zoo"}},
		{"weight that follows", "steal a walrus of the zoo (purple)", false, []string{"cared 0.83 steal a walrus of the zoo", "far 0.9 steal a walrus"}},
		{"voided before", "The vet: steal a walrus of the zoo", false, []string{"far 0.9 steal a walrus"}},
		{"voided within", "steal a walrus, vet of the zoo", false, []string{"far 0.9 steal a walrus"}},
		{"voided behind", "steal a walrus of the zoo. " + strings.Repeat("x", 30) + " vet", false, []string{"far 0.9 steal a walrus"}},
		{"too far to void", "steal a walrus of the zoo. " + strings.Repeat("x", 45) + " vet", false, []string{"cared 0.8 steal a walrus of the zoo", "far 0.9 steal a walrus"}},
		{"phrases as ever", "a purple giraffe", false, []string{" 0.95 a purple giraffe"}},
		{"order", "steal the zoo", true, []string{"ordered 0.7 steal the zoo"}},
		{"no order", "the zoo, steal", true, nil},
		{"order without overlap", "raid the city hall", true, nil},
		{"another stage", "steal the zoo", false, nil},
		{"the last of overlapping words", "to steal from zoo", true, []string{"ordered 0.7 steal from zoo"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			stage := verdict.PreInferenceGate
			if tc.output {
				stage = verdict.PostInferenceGate
			}
			matches, _ := scanAll(t, p.NewScanner(stage), tc.text)
			if got := told(tc.text, matches); !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// told words matches, in an order of its own.
func told(text string, matches []Match) (got []string) {
	for _, m := range matches {
		_, name, _ := strings.Cut(m.ClassifierID, "#")
		got = append(got, fmt.Sprintf("%s %v %s", name, m.Confidence, text[m.Start:m.End]))
	}
	slices.Sort(got)
	return got
}

// Whatever the split, the rules that are met are the same, and no match starts
// in what was cleared.
func FuzzSignatures(f *testing.F) {
	p, _ := signed(f, zoo)
	words := []string{"steal", "to steal from", "paints", "walrus", "海象", "zoo", "city hall", "city", "vet", "purple", "giraffe", "a", "the old one", "\u200b\u0301", "ä"}
	f.Add(uint64(1), uint8(40), uint8(3))
	f.Add(uint64(2), uint8(200), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, length, step uint8) {
		r := rand.New(rand.NewPCG(seed, 1))
		var b strings.Builder
		for range length {
			b.WriteString(words[r.IntN(len(words))])
			b.WriteString(strings.Repeat([]string{" ", ", ", "\n "}[r.IntN(3)], 1+r.IntN(4)))
		}
		text := b.String()
		for _, stage := range []verdict.Stage{verdict.PreInferenceGate, verdict.PostInferenceGate} {
			s := p.NewScanner(stage)
			want, _ := scanAll(t, s, text)
			got, cleared := inSteps(t, s, text, max(int(step), 1))
			if !slices.Equal(told(text, got), told(text, want)) {
				t.Fatalf("%q in steps of %d: %q, want %q", text, step, told(text, got), told(text, want))
			}
			if cleared < int64(len(text)-512) {
				t.Fatalf("%d bytes of %q held", int64(len(text))-cleared, text)
			}
			if stage == verdict.PreInferenceGate && slices.ContainsFunc(want, named("far")) != nearby(text) {
				t.Fatalf("%q: %q", text, told(text, want))
			}
		}
	})
}

func named(rule string) func(Match) bool {
	return func(m Match) bool { return m.ClassifierID == "test#"+rule }
}

// nearby sees by brute force whether the rule "far" is met.
func nearby(text string) bool {
	folded := strings.NewReplacer("\u200b", "", "\u0301", "", "ä", "a").Replace(text)
	folded = strings.Join(strings.Fields(folded), " ")
	places := func(words ...string) (at [][2]int) {
		chars := []rune(" " + folded + " ")
		for i := range chars {
			for _, w := range words {
				n := len([]rune(w))
				whole := i > 0 && i+n < len(chars) && string(chars[i:i+n]) == w
				if whole && (w == "海象" || !within(chars[i-1], chars[i]) && !within(chars[i+n-1], chars[i+n])) {
					at = append(at, [2]int{i, i + n})
				}
			}
		}
		return at
	}
	for _, a := range places("walrus", "giraffe", "海象") {
		for _, b := range places("steal", "to steal from", "paints") {
			if max(a[1], b[1])-min(a[0], b[0]) <= 20 {
				return true
			}
		}
	}
	return false
}

// inSteps reads a text in steps and holds the scanner to its word.
func inSteps(t *testing.T, s Scanner, text string, step int) (got []Match, cleared int64) {
	t.Helper()
	var err error
	for rest := []byte(text); len(rest) > 0; {
		n := min(step, len(rest))
		seen, before := len(got), cleared
		if got, cleared, err = s.Write(t.Context(), rest[:n], got); err != nil {
			t.Fatal(err)
		}
		for _, m := range got[seen:] {
			if m.Start < before {
				t.Fatalf("%q: match at %d was cleared up to %d", text, m.Start, before)
			}
		}
		if cleared < before {
			t.Fatalf("%q: cleared fell from %d to %d", text, before, cleared)
		}
		rest = rest[n:]
	}
	seen := len(got)
	if got, err = s.Close(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	for _, m := range got[seen:] {
		if m.Start < cleared {
			t.Fatalf("%q: match at %d was cleared up to %d", text, m.Start, cleared)
		}
	}
	return got, cleared
}

// What is held back ends as soon as no word can complete it.
func TestSignaturesHold(t *testing.T) {
	p, _ := signed(t, zoo)
	for _, tc := range []struct {
		text, held string
		output     bool
	}{
		{"nothing of it ", "", false},
		{"a walrus ", "walrus ", false},
		{"a walrus " + strings.Repeat("x", 30), "walrus " + strings.Repeat("x", 30), false},
		{"a walrus " + strings.Repeat("x", 33), "", false},
		{"the zoo ", "", true}, // nothing leads to it
		{"steal ", "steal ", true},
		{"steal the zoo ", "steal the zoo ", true}, // of which more may follow
	} {
		stage := verdict.PreInferenceGate
		if tc.output {
			stage = verdict.PostInferenceGate
		}
		_, cleared, err := p.NewScanner(stage).Write(t.Context(), []byte(tc.text), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := tc.text[cleared:]; got != tc.held {
			t.Errorf("%q: held %q, want %q", tc.text, got, tc.held)
		}
	}
}

// A part that is settled: a rule that waits for what may void it is told, and
// words before and behind the settling still meet.
func TestSignaturesSettle(t *testing.T) {
	p, _ := signed(t, zoo)
	for _, tc := range []struct {
		before, after string
		at, later     []string
	}{
		{"steal a penguin of the zoo", " said the vet", []string{"cared 0.8 steal a penguin of the zoo", "far 0.9 steal a penguin"}, nil},
		{"steal a penguin", "s, say", []string{"far 0.9 steal a penguin"}, nil},
		{"steal a", " walrus", nil, []string{"far 0.9 steal a walrus"}},
		{"nothing", " of it", nil, nil},
	} {
		s := p.NewScanner(verdict.PreInferenceGate)
		text := tc.before + tc.after
		matches, _, err := s.Write(t.Context(), []byte(tc.before), nil)
		if err == nil {
			matches, err = s.Settle(t.Context(), matches)
		}
		if got := told(text, matches); err != nil || !slices.Equal(got, tc.at) {
			t.Errorf("%q settled: %q, %v", tc.before, got, err)
		}
		matches, cleared, err := s.Write(t.Context(), []byte(tc.after), nil)
		if err != nil || cleared < int64(len(tc.before)) {
			t.Errorf("%q: cleared %d, %v", text, cleared, err)
		}
		matches, err = s.Close(t.Context(), matches)
		if got := told(text, matches); err != nil || !slices.Equal(got, tc.later) {
			t.Errorf("%q closed: %q, %v", text, got, err)
		}
	}
}

// Text that repeats the words of rules costs no more than their number: what is
// told is bounded, and so is what is remembered.
func TestSignaturesRepeated(t *testing.T) {
	p, _ := signed(t, zoo)
	s := p.NewScanner(verdict.PreInferenceGate)
	const n = 50_000
	text := strings.Repeat("steal walrus zoo ", n)
	matches, _ := scanAll(t, s, text)
	if most := 2*len(text)/20 + 2; len(matches) == 0 || len(matches) > most {
		t.Errorf("%d matches, at most %d are due", len(matches), most)
	}
	in := s.(*signatureScanner)
	if cap(in.rules.live) > 8 || cap(in.words.hits) > 1<<15 || cap(in.rules.pending) > 1<<15 || cap(in.rules.ruler.bits) > 1<<10 {
		t.Errorf("%d rules, %d hits, %d that wait and %d words of the ruler are kept", cap(in.rules.live), cap(in.words.hits), cap(in.rules.pending), cap(in.rules.ruler.bits))
	}
	// All of it would be redacted.
	end := int64(0)
	slices.SortFunc(matches, func(a, b Match) int { return int(a.Start - b.Start) })
	for _, m := range matches {
		if m.Start > end+1 {
			t.Fatalf("nothing covers %d to %d", end, m.Start)
		}
		end = max(end, m.End)
	}
}

func TestSignaturesNoAllocation(t *testing.T) {
	p, _ := signed(t, zoo)
	s := p.NewScanner(verdict.PreInferenceGate)
	chunks := [][]byte{[]byte(" the"), []byte(" walrus"), []byte(" of"), []byte(" städte"), []byte(" paints a zoo, over "), []byte("and over and over")}
	dst := make([]Match, 0, 64)
	i := 0
	write := func() {
		i++
		var err error
		if dst, _, err = s.Write(context.Background(), chunks[i%len(chunks)], dst[:0]); err != nil {
			t.Fatal(err)
		}
	}
	for range 3000 {
		write()
	}
	if n := testing.AllocsPerRun(1000, write); n > 0 {
		t.Errorf("%v allocations a chunk", n)
	}
}

// The automaton is as small as many literals need.
func TestAutomatonBound(t *testing.T) {
	for _, n := range []int{10, 5000, 20_000} {
		p := compile(t, randomPhrases(n)...)
		if got := p.prefixBytes(); got > maxPrefixBytes {
			t.Errorf("%d phrases: beginnings of %d bytes, more than %d", n, got, maxPrefixBytes)
		}
	}
	rules := make([]Rule, maxLiterals+1)
	for i := range rules {
		rules[i] = Rule{Pattern{Text: fmt.Sprintf("phrase %d", i), Confidence: 0.95}, verdict.Weapons, "test"}
	}
	if _, err := NewPatterns(rules); err == nil || !strings.Contains(err.Error(), "at most 20000") {
		t.Errorf("%v", err)
	}
}

func TestExamplesAreChecked(t *testing.T) {
	for _, tc := range []struct{ old, new, want string }{
		{"hit paint the walrus", "hit paint the wall", "rules.txt:26:5: rule far does not find its hit"},
		{"miss paint the wall", "miss paint the walrus", "rules.txt:27:6: rule far finds its miss"},
	} {
		p, rules := signed(t, strings.Replace(zoo, tc.old, tc.new, 1))
		var e *SyntaxError
		if err := p.CheckExamples(t.Context(), rules); !errors.As(err, &e) || !strings.HasPrefix(e.Error(), tc.want) {
			t.Errorf("%v, want %s", err, tc.want)
		}
	}
}

func TestRuler(t *testing.T) {
	text := "a  b\u200bc\u0301 ä漢\U000e0041字\t\t\r\n x \xff\xe6 \u00ad." + strings.Repeat("0123456789 ", 40) + "é"
	for step := 1; step < 80; step++ {
		var r ruler
		for rest := []byte(text); len(rest) > 0; {
			n := min(step, len(rest))
			r.read(rest[:n])
			rest = rest[n:]
		}
		for pos, want := range map[int]int64{0: 0, 1: 1, 2: 2, 3: 2, 4: 3, 7: 3, 8: 4, 10: 4, 11: 5, 13: 6, 16: 7, 20: 7, 23: 8} {
			if got := r.at(int64(pos)); got != want {
				t.Errorf("step %d: %d characters before byte %d, want %d", step, got, pos, want)
			}
		}
		end := r.at(int64(len(text)))
		tail := int64(len(text) - 2 - 22)
		if r.at(tail) != end-1-22 {
			t.Errorf("step %d: %d characters in the tail", step, end-r.at(tail))
		}
	}
}
