package classify

import (
	"math"
	"regexp"
	"slices"
)

var langForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$`)

// once are the keywords that a rule has at most one line of.
var once = []string{"confidence", "then", "near", "stage", "lang"}

// ruleLine reads a line of the open rule.
func (p *fileParser) ruleLine(l sourceLine) error {
	d := p.draft
	sig := p.patterns[d.pattern].Signature
	word, value, offset := cutWord(l.text)
	if value == "" && slices.Contains([]string{"confidence", "all", "then", "any", "near", "unless", "stage", "lang", "weight", "hit", "miss"}, word) {
		return l.fail(0, "%s says nothing: add what it needs or remove it", word)
	}
	if first, ok := d.given[word]; ok && slices.Contains(once, word) {
		return l.fail(0, "%s is in line %d already: remove one", word, first)
	}
	d.given[word] = l.number
	switch word {
	case "confidence":
		return assign(&p.patterns[d.pattern].Confidence)(number(l, offset, value, word, 0.01, maxConfidence))
	case "near":
		n, err := number(l, offset, value, word, 1, maxNear)
		if err == nil && n != math.Trunc(n) {
			err = l.fail(offset, "near %q: want a whole number", value)
		}
		sig.Near = int(n)
		return err
	case "stage":
		sig.input, sig.output = value != "output", value != "input"
		if value != "input" && value != "output" && value != "both" {
			return l.fail(offset, "stage %q: want input, output or both", value)
		}
	case "lang":
		if sig.Lang = value; !langForm.MatchString(value) {
			return l.fail(offset, "lang %q: want a language tag such as en or pt-BR", value)
		}
	case "hit", "miss":
		if len(value) > maxExample || len(sig.examples) == maxExamples {
			return l.fail(0, "at most %d examples of %d bytes for a rule: remove or shorten it", maxExamples, maxExample)
		}
		sig.examples = append(sig.examples, example{value, word == "hit", l.number, l.column + offset})
	default:
		return d.sets(l, word, value, offset, sig)
	}
	return nil
}

// assign passes on a number unless there was an error.
func assign(dst *float64) func(float64, error) error {
	return func(n float64, err error) error {
		if err == nil {
			*dst = n
		}
		return err
	}
}

// sets reads a line that names sets.
func (d *draft) sets(l sourceLine, word, value string, offset int, sig *Signature) error {
	names := value
	var by string
	var byOffset int
	if word == "weight" {
		// {set} number
		for i := len(value) - 1; i >= 0; i-- {
			if value[i] == ' ' || value[i] == '\t' || value[i] == '}' {
				names, by, byOffset = value[:i+1], value[i+1:], offset+i+1
				break
			}
		}
	}
	refs, err := references(l, offset, names)
	switch word {
	case "all":
		for _, r := range refs {
			d.groups = append(d.groups, []setName{r})
		}
	case "any":
		d.groups = append(d.groups, refs)
	case "then":
		if err == nil && len(refs) < 2 {
			return l.fail(offset, "then wants two sets or more: it says in which order they stand")
		}
		// Those in order come first.
		chain := make([][]setName, 0, len(refs)+len(d.groups))
		for _, r := range refs {
			chain = append(chain, []setName{r})
		}
		d.groups, sig.ordered = append(chain, d.groups...), len(refs)
	case "unless":
		d.unless = append(d.unless, refs...)
	case "weight":
		n, numberErr := number(l, byOffset, by, word, 0.001, 0.5)
		if err == nil {
			err = numberErr
		}
		if err == nil && len(refs) != 1 {
			return l.fail(offset, "weight wants one set and a number, as in weight {crowd} 0.03")
		}
		d.weights = append(d.weights, refs...)
		sig.weights = append(sig.weights, weighted{by: n})
	default:
		return l.fail(0, "unknown keyword %q: want confidence, all, then, any, near, unless, stage, lang, weight, hit, miss or @end", word)
	}
	return err
}

// complete reports what a rule lacks.
func (p *fileParser) complete(d *draft, _ sourceLine) error {
	rule := &p.patterns[d.pattern]
	hits, misses := 0, 0
	for _, e := range rule.Signature.examples {
		if e.hit {
			hits++
		} else {
			misses++
		}
	}
	switch name := rule.Text; {
	case rule.Confidence == 0:
		return d.at.fail(0, "rule %s has no confidence: add one, from 0.01 to %v", name, maxConfidence)
	case len(d.groups) < 2:
		return d.at.fail(0, "rule %s has fewer than two groups that must meet: add all, then or any, or write phrases", name)
	case len(d.groups) > maxGroups:
		return d.at.fail(0, "rule %s has %d groups: at most %d are allowed", name, len(d.groups), maxGroups)
	case len(d.weights) > maxWeights:
		return d.at.fail(0, "rule %s has %d weights: at most %d are allowed", name, len(d.weights), maxWeights)
	case hits == 0 || misses == 0:
		return d.at.fail(0, "rule %s needs examples: add a line hit with a text that it finds, and a line miss with one that it must not", name)
	}
	return nil
}

// resolve looks up the sets of a rule.
func (p *fileParser) resolve(d *draft) error {
	sig := p.patterns[d.pattern].Signature
	seen := make(map[literal]string) // which group has it
	take := func(refs []setName, g *group, apart bool) error {
		for _, r := range refs {
			before := len(g.literals)
			var err error
			if g.literals, err = p.literalsOf(r, r.name, g.literals); err != nil {
				return err
			}
			for _, lit := range g.literals[before:] {
				key := literal{text: lit.text, stem: lit.stem}
				if other, ok := seen[key]; ok && apart {
					return r.at.fail(r.offset, "%q is in {%s} and in {%s}, so one word would count twice in the rule: remove it from one", lit.text, other, r.name)
				}
				seen[key] = r.name
			}
		}
		return nil
	}
	sig.groups = make([]group, len(d.groups))
	for i, refs := range d.groups {
		if err := take(refs, &sig.groups[i], true); err != nil {
			return err
		}
	}
	if err := take(d.unless, &sig.unless, true); err != nil {
		return err
	}
	for i := range d.weights {
		if err := take(d.weights[i:i+1], &sig.weights[i].group, false); err != nil {
			return err
		}
	}
	return nil
}
