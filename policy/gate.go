package policy

import "github.com/difflabai/confidential-safety/verdict"

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
		best := (*verdict.Finding)(nil)
		for j := range findings {
			if f := &findings[j]; f.Category == c.Name && (best == nil || f.Confidence > best.Confidence) {
				best = f
			}
		}
		if best == nil {
			continue
		}
		d.Findings = append(d.Findings, *best)
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

func (p *Policy) category(name verdict.Category) *Category {
	for i := range p.Categories {
		if p.Categories[i].Name == name {
			return &p.Categories[i]
		}
	}
	return nil
}
