package measure

import (
	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

// The stages that rows can be of.
const (
	input = iota
	output
	stages
)

// reach counts the rows in which a category's threshold was reached.
type reach struct {
	own, ownReached       int // rows labelled with the category
	benign, benignReached int
}

// disclosed counts the rows in which a category's disclosure threshold was
// reached.
type disclosed struct {
	rows          [classes]int
	highestBenign float64
}

// weigh compares the confidences of a row with the policy's thresholds.
func (t *Tally) weigh(class Class, l *Label, d *verdict.Decision) {
	disclosing := false
	for i := range t.policy.Categories {
		c := &t.policy.Categories[i]
		confidence := 0.0
		for _, f := range d.Findings {
			if f.Category == c.Name {
				confidence = f.Confidence
			}
		}
		stage, threshold := input, c.InputThreshold
		if l.Stage == verdict.PostInferenceGate {
			stage, threshold = output, c.OutputThreshold
		}
		r, hit := &t.reached[i][stage], one(confidence >= threshold)
		x := &t.disclosed[i]
		switch {
		case class == Negative:
			r.benign++
			r.benignReached += hit
			x.highestBenign = max(x.highestBenign, confidence)
		case c.Name == l.Category:
			r.own++
			r.ownReached += hit
		}
		if least, _ := disclosureThreshold(c); confidence >= least {
			x.rows[class]++
			disclosing = disclosing || c.DisclosureThreshold != nil
		}
	}
	t.anyDisclosed[class] += one(disclosing)
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// UsualDisclosure is the disclosure threshold against which a category that has
// none is measured.
const UsualDisclosure = 0.999

func disclosureThreshold(c *policy.Category) (threshold float64, set bool) {
	if c.DisclosureThreshold != nil {
		return *c.DisclosureThreshold, true
	}
	return UsualDisclosure, false
}
