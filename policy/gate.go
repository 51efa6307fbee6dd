package policy

import (
	"math"
	"strings"

	"github.com/difflabai/confidential-safety/verdict"
)

// Corroborated is the confidence from which one opinion is not enough: words can
// be quoted and models err, and what is this certain may be disclosed. A finding
// of the decision has it only where a pattern and a model agree.
const Corroborated = 0.999

// uncorroborated is what a finding by one of them has at most.
const uncorroborated = 0.998

// Gate decides on the findings of a stage. In each category the highest
// confidence counts, if it is at or above the category's threshold for the
// stage: then the category's action is due, where REDACT on input is BLOCK. Of
// several the strongest action is taken, then the largest excess over its
// threshold, then the first in the policy.
//
// A finding that the policy cannot judge (of an unknown category, or with a
// confidence that is no number from 0 to 1) blocks, as a failed classifier does.
func (p *Policy) Gate(stage verdict.Stage, findings []verdict.Finding) verdict.Decision {
	d := verdict.Decision{Stage: stage, Action: verdict.Allow, Category: verdict.None}
	for i := range findings {
		f := &findings[i]
		if !(f.Confidence >= 0 && f.Confidence <= 1) || p.category(f.Category) == nil {
			return verdict.Decision{Stage: stage, Action: verdict.Block, Category: verdict.Unavailable}
		}
	}
	excess := 0.0
	for i := range p.Categories {
		c := &p.Categories[i]
		best, agreed, ok := opinion(c.Name, findings)
		if !ok {
			continue
		}
		d.Findings = append(d.Findings, best)
		if f := &d.Findings[len(d.Findings)-1]; !agreed {
			f.Confidence = min(f.Confidence, uncorroborated)
		}
		threshold, action := c.OutputThreshold, c.Action
		if stage == verdict.PreInferenceGate {
			threshold = c.InputThreshold
			if action == verdict.Redact {
				action = verdict.Block
			}
		}
		over := best.Confidence - threshold
		if over < 0 || action < d.Action || action == d.Action && over <= excess {
			continue
		}
		d.Action, d.Category, excess = action, c.Name, over
	}
	return d
}

// opinion is what the findings of a category come to. Of patterns and of models
// the highest confidence counts: many words say no more than one. Where both
// find something, they are taken to err independently, so that both are wrong as
// often as the product of what each concedes.
func opinion(name verdict.Category, findings []verdict.Finding) (f verdict.Finding, agreed, ok bool) {
	var words, model *verdict.Finding
	for i := range findings {
		f := &findings[i]
		if f.Category != name {
			continue
		}
		best := &model
		if kind, _, _ := strings.Cut(f.ClassifierID, ":"); kind == string(PatternMatch) {
			best = &words
		}
		if *best == nil || f.Confidence > (*best).Confidence {
			*best = f
		}
	}
	switch {
	case words == nil && model == nil:
		return verdict.Finding{}, false, false
	case words == nil:
		return *model, false, true
	case model == nil:
		return *words, false, true
	}
	return verdict.Finding{
		Category: name, Confidence: math.Round(1e6*(1-(1-words.Confidence)*(1-model.Confidence))) / 1e6,
		ClassifierID: words.ClassifierID + "+" + model.ClassifierID,
	}, true, true
}

func (p *Policy) category(name verdict.Category) *Category {
	for i := range p.Categories {
		if p.Categories[i].Name == name {
			return &p.Categories[i]
		}
	}
	return nil
}
