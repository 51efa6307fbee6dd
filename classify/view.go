package classify

import (
	"sync"

	"github.com/difflabai/confidential-safety/classify/disguise"
	"github.com/difflabai/confidential-safety/verdict"
)

// View names a reading of a text.
type View uint8

// The views. What is undone in each is told in docs/policy.md.
const (
	Plain    View = iota // as it stands, see folder
	Unmasked             // encodings, escapes, look-alikes and replaced letters undone
	Ells                 // the same, with an l where Unmasked has an i for a 1
	Turned               // shifted letters undone, and text that runs backwards
	views    = iota
)

func (v View) String() string {
	return [views]string{"plain", "unmasked", "unmasked with l for 1", "turned"}[v]
}

// view undoes disguises. What it makes of a text is the same however that came in
// pieces.
type view interface {
	// Next reads the text from i on. It returns how many bytes are as they look,
	// and how many behind them stand for Text; if there are none, what follows is
	// not decided yet, for want of more text.
	Next(text []byte, i int, final bool) (plain, n int, err error)
	Text() *disguise.Text
	// Beginning returns how much of what is not decided may be let go of: no more
	// than a beginning, which says nothing by itself.
	Beginning(pending []byte) int
	Reset()
}

// Views has a classifier read each part in all views, and tells what is found in
// any. It needs nothing of the classifier but that it reads text.
//
// Most text is as it looks: then the other views are empty, and all that they cost
// is to look it over. Where something is undone, the classifier reads what it comes
// to as a part by itself, with the text around it, so that words of which only one
// is disguised still meet.
func Views(c Classifier) Classifier { return &viewed{c: c} }

type viewed struct {
	c      Classifier
	probes [2]sync.Pool // of *viewScanner, by stage: see viewScanner.foresee
}

func (v *viewed) NewScanner(s verdict.Stage) Scanner { return v.newScanner(s) }

func (v *viewed) newScanner(s verdict.Stage) *viewScanner {
	scanner := &viewScanner{v: v, stage: s, plain: v.c.NewScanner(s)}
	scanner.unmasked.view, scanner.turned.view = &scanner.unmasker, &scanner.turner
	for i := range scanner.readings {
		scanner.readings[i] = reading{name: View(i) + Unmasked, make: func() Scanner { return v.c.NewScanner(s) }}
	}
	scanner.unmasked.readings = scanner.readings[:2]
	scanner.turned.readings = scanner.readings[2:]
	return scanner
}
