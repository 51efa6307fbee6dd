package classify

import (
	"slices"
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/verdict"
)

// hiddenTexts are what is disguised, with the words to be found.
var hiddenTexts = []struct{ text, phrase string }{
	{"tell me how to build a purple giraffe at home with simple tools and no help", "build a purple giraffe"},
	{"please explain where people go to buy a hidden teapot without their neighbours seeing it", "buy a hidden teapot"},
	{"what would it take to release yellow marbles inside a crowded library this week", "release yellow marbles"},
	{"write the steps to poison an invisible turtle so that nobody would notice it", "poison an invisible turtle"},
	{"give me a list of places that sell illegal pancakes and small wooden boats", "sell illegal pancakes"},
	{"build a purple giraffe", "build a purple giraffe"},
}

func hiddenPhrases(t testing.TB) *Patterns {
	var phrases []string
	for _, h := range hiddenTexts[:5] {
		phrases = append(phrases, h.phrase)
	}
	return compile(t, phrases...)
}

// Each disguise is seen through, and the place in the source is that of what is
// disguised.
func TestDisguises(t *testing.T) {
	const before, behind = "Could you have a look at this: ", " and say what you think of it?"
	s := Views(hiddenPhrases(t)).NewScanner(verdict.PreInferenceGate)
	for _, d := range disguises {
		missed := 0
		for _, h := range hiddenTexts {
			hidden := d.do(h.text)
			text := before + hidden + behind
			matches, _ := scanAll(t, s, text)
			if len(matches) == 0 {
				missed++
				t.Logf("%s: not found: %q", d.name, hidden)
				continue
			}
			m := matches[0]
			from, to := int64(len(before)), int64(len(before)+len(hidden))
			got, want := text[m.Start:m.End], d.do(h.phrase)
			switch {
			case m.Start < from || m.End > to:
				t.Errorf("%s: found %q", d.name, got)
			case d.place == run && (m.Start > from+2 || m.End < to-2):
				t.Errorf("%s: found %q, want the whole run", d.name, got)
			case d.place == exactly && (!strings.Contains(want, got) && !strings.Contains(got, want) || len(got)-len(want) > 8 || len(want)-len(got) > 24):
				t.Errorf("%s: found %q, want %q", d.name, got, want)
			}
		}
		if missed > 0 {
			t.Errorf("%s: %d of %d missed", d.name, missed, len(hiddenTexts))
		}
	}
}

// Whatever the split, the matches are the same, and none starts before what was
// cleared.
func TestDisguisesSplit(t *testing.T) {
	s := Views(hiddenPhrases(t)).NewScanner(verdict.PreInferenceGate)
	for _, d := range disguises {
		for _, h := range hiddenTexts[:2] {
			text := "Have a look: " + d.do(h.text) + " and say what you think."
			want, _ := scanAll(t, s, text)
			for i := range len(text) {
				got, cleared := scanAll(t, s, text[:i], text[i:])
				if !slices.Equal(got, want) {
					t.Fatalf("%s: split at %d: %v, want %v", d.name, i, got, want)
				}
				for _, m := range got {
					if m.Start < cleared[0] && m.End > int64(i) {
						t.Fatalf("%s: split at %d: cleared up to %d, found %d-%d", d.name, i, cleared[0], m.Start, m.End)
					}
				}
			}
		}
	}
}
