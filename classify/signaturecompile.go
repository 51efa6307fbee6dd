package classify

import (
	"slices"

	"github.com/difflabai/confidential-safety/verdict"
)

// signatures are the rules of all files, by what they are made of.
type signatures struct {
	rules []compiledRule
	// uses says, for each stage and literal, where the literal counts.
	uses [2]map[int32][]use
	any  [2]bool // there is a rule for the stage
	ids  map[literal]int32
}

// compiledRule numbers what a rule is made of: its groups from 0, those in order
// first, then what voids it, then its weights.
type compiledRule struct {
	near                     int64
	ordered, groups, weights int
	voids                    bool // it has unless
	by                       [maxWeights]float64
	finding                  verdict.Finding
}

// use is a slot of a rule that a literal fills.
type use struct {
	rule int32
	slot int8
}

func stageIndex(s verdict.Stage) int {
	if s == verdict.PreInferenceGate {
		return 0
	}
	return 1
}

// add compiles a rule.
func (s *signatures) add(r *Rule) error {
	sig := r.Signature
	c := compiledRule{
		near: int64(sig.Near), ordered: sig.ordered, groups: len(sig.groups),
		weights: len(sig.weights), voids: len(sig.unless.literals) > 0,
		finding: verdict.Finding{Category: r.Category, Confidence: r.Confidence, ClassifierID: r.ID()},
	}
	number := int32(len(s.rules)) //nolint:gosec // some thousands at most
	slot := int8(0)
	for i := range sig.groups {
		if err := s.use(r, &sig.groups[i], use{number, slot}); err != nil {
			return err
		}
		slot++
	}
	if err := s.use(r, &sig.unless, use{number, slot}); err != nil {
		return err
	}
	for i := range sig.weights {
		slot++
		c.by[i] = sig.weights[i].by
		if err := s.use(r, &sig.weights[i].group, use{number, slot}); err != nil {
			return err
		}
	}
	s.rules = append(s.rules, c)
	return nil
}

// use notes that the literals of a group count in a slot.
func (s *signatures) use(r *Rule, g *group, u use) error {
	for stage, applies := range []bool{r.Signature.input, r.Signature.output} {
		if !applies {
			continue
		}
		s.any[stage] = true
		for _, lit := range g.literals {
			id := s.id(lit)
			uses := s.uses[stage][id]
			if len(uses) == maxUses {
				return &SyntaxError{r.File, r.Line, 1, "a literal counts in too many groups of rules: join rules that share their sets"}
			}
			s.uses[stage][id] = append(uses, u)
		}
	}
	return nil
}

// id numbers a literal.
func (s *signatures) id(l literal) int32 {
	l.set = ""
	id, ok := s.ids[l]
	if !ok {
		id = int32(len(s.ids)) //nolint:gosec // maxLiterals bounds it
		s.ids[l] = id
	}
	return id
}

func newSignatures() *signatures {
	return &signatures{
		uses: [2]map[int32][]use{make(map[int32][]use), make(map[int32][]use)},
		ids:  make(map[literal]int32),
	}
}

// literals returns what must be looked for, in the order of their numbers.
func (s *signatures) literals() []literal {
	all := make([]literal, len(s.ids))
	for l, id := range s.ids {
		all[id] = l
	}
	return slices.Clip(all)
}
