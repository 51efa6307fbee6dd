package classify

import (
	"cmp"
	"slices"
	"testing"

	"github.com/difflabai/confidential-safety/verdict"
)

// FuzzViews reads a text whole, and in steps: what is found in the views is the
// same, what the plain view finds is what it finds alone, and nothing starts where
// the text was cleared.
func FuzzViews(f *testing.F) {
	p := compile(f, "bomb", "pipe bomb", "ab cd", "a purple giraffe", "dna then we", "xyz", "äöü")
	views := Views(p)
	for _, d := range disguises {
		f.Add("so: "+d.do("a purple giraffe is a pipe bomb")+" ab cd", 3)
	}
	// What goes on behind a text that ran backwards.
	f.Add("so: "+reversed("purple teapots are what people want to buy in this town")+" 12 ab and then we went home", 1) // dna is and
	f.Fuzz(func(t *testing.T, text string, step int) {
		fuzzViews(t, p, views, text, step)
	})
}

func fuzzViews(t *testing.T, p, views Classifier, text string, step int) {
	t.Helper()
	if step < 1 || len(text) > 3*readAtOnce {
		t.Skip("out of the interesting range")
	}
	plain, _ := scanAll(t, p.NewScanner(verdict.PreInferenceGate), text)
	want, err := readInSteps(t, views, text, len(text)+1)
	got, stepErr := readInSteps(t, views, text, step)
	if (err == nil) != (stepErr == nil) {
		t.Fatalf("%v, in steps %v", err, stepErr)
	}
	if err != nil {
		return
	}
	if !slices.EqualFunc(got, want, sameButBeginning) {
		t.Fatalf("in steps of %d: %v, want %v", step, got, want)
	}
	alone := slices.DeleteFunc(slices.Clone(got), func(m Match) bool { return m.View != Plain })
	slices.SortFunc(plain, inOrder)
	if !slices.Equal(alone, plain) {
		t.Fatalf("in the plain view: %v, want %v", alone, plain)
	}
}

// sameButBeginning lets a match in a view begin later, by as much as is let go of.
func sameButBeginning(got, want Match) bool {
	if got.View != Plain && got.Start > want.Start && got.Start-want.Start <= 48 {
		if want.End <= got.Start && got.End == got.Start+1 { // all of it
			got.End = want.End
		}
		got.Start = want.Start
	}
	return got == want
}

// The same with rules, whose words may be in one view and beside it.
func FuzzViewsOfRules(f *testing.F) {
	p, _ := signed(f, zoo)
	views := Views(p)
	for _, d := range disguises {
		f.Add("so: paint "+d.do("a giraffe in the city hall")+" to steal", 3)
		f.Add("so: "+d.do("paint")+" a walrus and call the vet", 5)
	}
	f.Fuzz(func(t *testing.T, text string, step int) {
		fuzzViews(t, p, views, text, step)
	})
}

// inOrder leaves nothing open, unlike byEnd.
func inOrder(a, b Match) int {
	return cmp.Or(cmp.Compare(a.View, b.View), cmp.Compare(a.ClassifierID, b.ClassifierID),
		cmp.Compare(a.Confidence, b.Confidence), cmp.Compare(a.End, b.End), cmp.Compare(a.Start, b.Start))
}

// readInSteps returns what is found, in order.
func readInSteps(t *testing.T, c Classifier, text string, step int) (got []Match, err error) {
	t.Helper()
	s := c.NewScanner(verdict.PreInferenceGate)
	before := int64(0)
	check := func(from int) {
		for _, m := range got[from:] {
			if m.Start < before || m.End > int64(len(text)) || m.Start >= m.End {
				t.Fatalf("in steps of %d: found %d-%d of %d, cleared up to %d", step, m.Start, m.End, len(text), before)
			}
		}
	}
	for rest := []byte(text); len(rest) > 0; {
		n := min(step, len(rest))
		seen := len(got)
		var cleared int64
		if got, cleared, err = s.Write(t.Context(), rest[:n], got); err != nil {
			return nil, err
		}
		check(seen)
		if cleared < before || cleared > int64(len(text)-len(rest)+n) {
			t.Fatalf("cleared %d after %d, of %d", cleared, before, len(text)-len(rest)+n)
		}
		before, rest = cleared, rest[n:]
	}
	seen := len(got)
	if got, err = s.Close(t.Context(), got); err != nil {
		return nil, err
	}
	check(seen)
	slices.SortFunc(got, inOrder)
	return got, nil
}
