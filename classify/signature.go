package classify

import (
	"math"

	"github.com/difflabai/confidential-safety/verdict"
)

// Signature is a rule of a pattern file: it is met where words of several
// groups, such as a subject and an intent, stand near each other.
//
// Groups are made of sets of literals. A literal matches as a phrase does; one
// that ends in "*" stands for every word that begins so.
type Signature struct {
	Lang          string // as written, "" if it is not
	Near          int    // characters that the words of all groups may span
	input, output bool   // where it applies
	// groups must all be met, the first ordered of them in that order.
	groups  []group
	ordered int
	// unless lists literals one of which, within the same distance, voids it.
	unless   group
	weights  []weighted
	examples []example
}

// group is met by any literal of its sets.
type group struct {
	literals []literal
}

// weighted is a group that need not be met, and raises the confidence if it is.
type weighted struct {
	group
	by float64
}

// literal is a normalised text, and the set that a rule knows it by.
type literal struct {
	text string
	stem bool // any word that begins with it
	set  string
}

// example is a text that the rule must find, or must not.
type example struct {
	text string
	hit  bool
	line int
	col  int
}

// Limits of rules. A rule's state is held for each part of a text, so what it
// may need is small.
const (
	maxGroups     = 6
	maxWeights    = 3
	maxSlots      = maxGroups + 1 + maxWeights
	maxNear       = 512
	defaultNear   = 80
	maxRules      = 1000   // of a file
	maxSetSize    = 2000   // literals of a set, with those of the sets in it
	maxLiterals   = 20_000 // distinct, of all files, phrases among them
	maxUses       = 128    // groups of rules that one literal may count in
	maxExamples   = 64     // of a rule
	maxExample    = 1024   // bytes
	maxConfidence = 0.99   // of a rule: words alone are never certain
)

// highest is the most that a rule's words can be worth.
func (p *Pattern) highest() float64 {
	c := p.Confidence
	if p.Signature != nil {
		for _, w := range p.Signature.weights {
			c += w.by
		}
		c = min(rounded(c), maxConfidence)
	}
	return c
}

// rounded makes of a sum of decimals what an author would write.
func rounded(c float64) float64 { return math.Round(c*1e6) / 1e6 }

// Highest returns, for each category, the most that its phrases and rules can
// be worth by themselves.
func Highest(rules []Rule) map[verdict.Category]float64 {
	most := make(map[verdict.Category]float64)
	for i := range rules {
		most[rules[i].Category] = max(most[rules[i].Category], rules[i].highest())
	}
	return most
}
