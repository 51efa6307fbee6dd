package main

import (
	"math"
	"slices"

	"github.com/difflabai/confidential-safety/classify/model"
)

// How many of the texts that are judged are harmful, nobody knows, and it differs
// from service to service. A confidence is the probability of harm where that is
// such that at the confidence anchor, anchored of the harmless texts of the
// validation are taken for harmful, those of templates apart. The thresholds of
// the default policy lie around it.
const anchor, anchored = 0.7, 0.002

// maxConfidence is what the model never goes above: what leads to a disclosure
// needs a second opinion.
const maxConfidence = 0.99

// calibrate fits the probability to scores of models that have not seen their
// texts. Of all windows of a text the one counts that speaks loudest; a window's
// voice is lowered by the logarithm of its number, since among many windows one
// is always loud.
func calibrate(rows []row, scores [][]float64) model.Calibration {
	var best model.Calibration
	least := math.Inf(1)
	for _, rho := range []float64{0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6} {
		var x, y, weight []float64
		benign, harmful := 0.0, 0.0
		for i := range rows {
			if rows[i].Category == "OTHER_HARM" {
				continue
			}
			s := loudest(scores[i], rho)
			if math.IsInf(s, -1) {
				continue
			}
			x = append(x, s)
			if rows[i].harmful() {
				y = append(y, 1)
				harmful += rows[i].weight
			} else {
				y = append(y, 0)
				benign += rows[i].weight
			}
			weight = append(weight, rows[i].weight)
		}
		for i := range weight {
			if y[i] > 0.5 {
				weight[i] /= harmful
			} else {
				weight[i] /= benign
			}
		}
		slope, offset, loss := platt(x, y, weight)
		if loss < least {
			least = loss
			best = model.Calibration{Slope: slope, Offset: offset, PerWindow: slope * rho, Max: maxConfidence}
		}
	}
	rep := newReport(best)
	var benign []float64
	for i := range rows {
		if rows[i].Category == "BENIGN" && !rows[i].generated() {
			benign = append(benign, rep.voice(scores[i]))
		}
	}
	if n := len(benign); n > 0 {
		slices.Sort(benign)
		if z := benign[n-1-int(anchored*float64(n))]; !math.IsInf(z, -1) {
			best.Offset += logit(anchor) - z
		}
	}
	return best
}

// loudest is the voice of a text.
func loudest(windows []float64, rho float64) float64 {
	best := math.Inf(-1)
	for i, s := range windows {
		best = max(best, s-float64(rho*math.Log(float64(i+1))))
	}
	return best
}

func logit(p float64) float64 { return math.Log(p / (1 - p)) }

// platt fits a probability to scores (Platt 1999) by Newton's method.
func platt(x, y, weight []float64) (slope, offset, loss float64) {
	slope = 1
	for range 100 {
		var ga, gb, aa, ab, bb float64
		loss = 0
		for i := range x {
			z := float64(slope*x[i]) + offset
			p := 1 / (1 + math.Exp(-z))
			if y[i] > 0.5 {
				loss += float64(weight[i] * softplus(-z))
			} else {
				loss += float64(weight[i] * softplus(z))
			}
			g, h := float64(weight[i]*(p-y[i])), float64(weight[i]*p*(1-p))
			ga += float64(g * x[i])
			gb += g
			aa += float64(h * x[i] * x[i])
			ab += float64(h * x[i])
			bb += h
		}
		det := float64(aa*bb) - float64(ab*ab)
		if det < 1e-18 {
			break
		}
		da := (float64(ga*bb) - float64(gb*ab)) / det
		db := (float64(gb*aa) - float64(ga*ab)) / det
		slope -= da
		offset -= db
		if math.Abs(da)+math.Abs(db) < 1e-10 {
			break
		}
	}
	return slope, offset, loss
}
