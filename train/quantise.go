package main

import (
	"math"

	"github.com/difflabai/confidential-safety/classify/model"
)

// quantise brings weights to 8 bits with one scale. Outliers are not clipped:
// that changed more decisions than coarser steps do.
func quantise(x []float64) (w []int8, scale float64) {
	most := 0.0
	for _, v := range x {
		most = max(most, math.Abs(v))
	}
	scale = most / 127
	w = make([]int8, len(x))
	for i, v := range x {
		w[i] = int8(math.RoundToEven(v / scale))
	}
	return w, scale
}

// fitAny fits the weights that say whether a window is harmful, to those windows
// whose row is used.
func fitAny(m *matrix, use func(row int) bool, c float64, iterations int) *model.Weights {
	label := func(i int) float64 { return m.label[i] }
	x := logistic(m, func(i int) bool { return use(m.row[i]) }, label, model.Buckets, 0, c, iterations)
	w, scale := quantise(x[:model.Buckets])
	return &model.Weights{Any: w, Scale: scale, Bias: x[model.Buckets]}
}

// fitHeads adds the heads that name a category. They are fitted among harmful
// windows alone, each against the others.
func fitHeads(w *model.Weights, m *matrix, rows []row, use func(row int) bool, c float64, iterations int) {
	for _, category := range categories {
		label := func(i int) float64 {
			if rows[m.row[i]].Category == category {
				return 1
			}
			return 0
		}
		x := logistic(m, func(i int) bool { return m.label[i] > 0.5 && use(m.row[i]) }, label, model.HeadBuckets, model.HeadShift, c, iterations)
		head, scale := quantise(x[:model.HeadBuckets])
		w.Heads = append(w.Heads, head)
		w.HeadScale = append(w.HeadScale, scale)
		w.HeadBias = append(w.HeadBias, x[model.HeadBuckets])
		w.Categories = append(w.Categories, category)
	}
}
