package classify

import (
	"context"
	"slices"

	"github.com/difflabai/confidential-safety/verdict"
)

// CheckExamples judges the examples of all rules as they are judged in service,
// with all the others there, and returns an error for the first that does not
// come out as its line says. rules are those that p was made of.
func (p *Patterns) CheckExamples(ctx context.Context, rules []Rule) error {
	for i := range rules {
		r := &rules[i]
		if r.Signature == nil {
			continue
		}
		for _, e := range r.Signature.examples {
			found, err := p.finds(ctx, r, e.text)
			switch {
			case err != nil:
				return err
			case e.hit && !found:
				return &SyntaxError{r.File, e.line, e.col, "rule " + r.Text + " does not find its hit: correct the rule or the example"}
			case !e.hit && found:
				return &SyntaxError{r.File, e.line, e.col, "rule " + r.Text + " finds its miss: correct the rule or the example"}
			}
		}
	}
	return nil
}

// finds reports whether a rule finds something in a text by itself.
func (p *Patterns) finds(ctx context.Context, r *Rule, text string) (bool, error) {
	stage := verdict.PreInferenceGate
	if !r.Signature.input {
		stage = verdict.PostInferenceGate
	}
	s := p.NewScanner(stage)
	matches, _, err := s.Write(ctx, []byte(text), nil)
	if err == nil {
		matches, err = s.Close(ctx, matches)
	}
	id := r.ID()
	return slices.ContainsFunc(matches, func(m Match) bool {
		return m.Category == r.Category && m.ClassifierID == id
	}), err
}

// Word is a place in a text where a literal of a set stands.
type Word struct {
	Set        string
	Start, End int64
}

// Words returns where in a text literals of the groups of a rule stand, and how
// many characters the text has by which their distance is measured. It is for
// telling an author why the rule was met in it.
func (r *Rule) Words(ctx context.Context, text string) (words []Word, length int, err error) {
	sig := *r.Signature
	sig.input, sig.unless, sig.weights = true, group{}, nil
	alone := *r
	alone.Signature = &sig
	p, err := NewPatterns([]Rule{alone})
	if err != nil {
		return nil, 0, err
	}
	s := patternScanner{p: p, collects: true}
	if _, _, err = s.Write(ctx, []byte(text), nil); err == nil {
		_, err = s.Close(ctx, nil)
	}
	if err != nil {
		return nil, 0, err
	}
	literals := p.sigs.literals()
	for _, h := range s.hits {
		for _, g := range sig.groups {
			if i := slices.IndexFunc(g.literals, literals[h.literal].same); i >= 0 {
				words = append(words, Word{g.literals[i].set, h.start, h.end})
			}
		}
	}
	slices.SortStableFunc(words, func(a, b Word) int { return int(a.Start - b.Start) })
	var ruler ruler
	ruler.read([]byte(text))
	return words, int(ruler.at(int64(len(text)))), nil
}
