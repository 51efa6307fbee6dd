// Package model is the local model: a linear classifier over hashed words and
// pieces of words, small enough to be part of the program.
//
// It reads text that is normalised already, in windows: a [Reader] cuts the text
// into tokens, and at fixed distances scores the last 160 characters and the last
// 512. What is trained and what is served run through the same code, and sums are
// of integers, so that both get the same bits on every machine.
//
// The package knows numbers and words, nothing of categories or policies. Never
// use its scores as probabilities: those come from a [Calibration], which is part
// of the weights.
package model

import (
	"fmt"
	"math"
)

// bucketBits is the size of the shared table of weights: detection's study found
// nothing gained above 18, and 3 points lost at 16.
const bucketBits = 18

// Buckets is the number of weights of the first head.
const Buckets = 1 << bucketBits

// headBits is the size of the tables of the heads that name a category.
const headBits = 15

// HeadShift takes a bucket of the first head to that of the others.
const HeadShift = bucketBits - headBits

// HeadBuckets is the number of weights of each head that names a category.
const HeadBuckets = 1 << headBits

// one is the fixed point of feature values.
const one = 1 << 10

// maxCount is where counting a feature stops.
const maxCount = 255

// Tables are what readers of any weights share. They are immutable.
type Tables struct{ tables }

type tables struct {
	value    [maxCount + 1]int64 // 1 + ln(count) in fixed point
	clusters *clusters
}

// NewTables makes them.
func NewTables() (*Tables, error) {
	c, err := newClusters(clustersText)
	if err != nil {
		return nil, fmt.Errorf("clusters of words: %w", err)
	}
	t := &Tables{tables{clusters: c}}
	for n := 1; n <= maxCount; n++ {
		t.value[n] = int64(math.Round(one * (1 + math.Log(float64(n)))))
	}
	return t, nil
}

// Value is what a feature that occurs so often is worth, before the window's
// vector is brought to length 1.
func (t *Tables) Value(count uint32) float64 { return float64(t.value[count]) / one }

// score of a window.
func (w *Weights) score(t *tables, features []Feature) float64 {
	dot, square := int64(0), int64(0)
	for _, f := range features {
		v := t.value[f.Count]
		dot += int64(w.Any[f.Bucket]) * v
		square += v * v
	}
	return float64(float64(dot)*w.Scale/math.Sqrt(float64(square))) + w.Bias
}

// head is the category that speaks loudest.
func (w *Weights) head(t *tables, features []Feature) int {
	best, loudest := -1, math.Inf(-1)
	for k, head := range w.Heads {
		dot, square := int64(0), int64(0)
		for _, f := range features {
			v := t.value[f.Count]
			dot += int64(head[f.Bucket>>HeadShift]) * v
			square += v * v
		}
		if s := float64(float64(dot)*w.HeadScale[k]/math.Sqrt(float64(square))) + w.HeadBias[k]; s > loudest {
			best, loudest = k, s
		}
	}
	return best
}

// Weights are a trained model. They are immutable once read.
type Weights struct {
	// Any says how much each bucket speaks for a harmful text of any kind:
	// times Scale, after division by the length of the window's vector.
	Any   []int8
	Scale float64
	Bias  float64
	// Heads say the same for each of the categories, among harmful texts.
	Heads       [][]int8
	HeadScale   []float64
	HeadBias    []float64
	Categories  []string
	Calibration Calibration
	// Digest is the SHA-256 of the file they were read from.
	Digest [32]byte
}

// Calibration turns the score of a window into the probability that the text is
// harmful: the more windows have been scored, the more a score must be to mean
// the same.
type Calibration struct {
	Slope, Offset float64
	// PerWindow is what the logarithm of the number of windows takes away.
	PerWindow float64
	// Max bounds the probability: no model is certain by itself.
	Max float64
}

// Probability of harm, after the n-th window had the score.
func (c Calibration) Probability(score float64, n int) float64 {
	z := float64(c.Slope*score) + c.Offset
	z -= float64(c.PerWindow * math.Log(float64(max(n, 1))))
	return min(1/(1+math.Exp(-z)), c.Max)
}

// Score is the least score of a window that comes to a probability below 1.
func (c Calibration) Score(p float64) float64 { return (math.Log(p/(1-p)) - c.Offset) / c.Slope }

// Judge scores features.
func (w *Weights) Judge(t *Tables, features []Feature) float64 { return w.score(&t.tables, features) }
