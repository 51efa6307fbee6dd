package model

import (
	"cmp"
	"math"
	"slices"
)

// Contribution is what one word of a window adds to its score, together with
// its pieces and with what it forms with the words before it.
type Contribution struct {
	Start, End int64 // in the normalised text
	Score      float64
}

// Contributions says what the words of one window, given as normalised text, add
// to its score: those that speak for harm first. All of them and the bias make
// up the score. It is for people who ask why, and not fast.
func (w *Weights) Contributions(t *Tables, window []byte) []Contribution {
	r := NewReader(nil, t)
	var s Scratch
	r.Read(&s, window, 0, true, nil)
	counts := make(map[uint32]uint32)
	each := func(f func(t *token, bucket uint32)) {
		for i := range r.tokens {
			t := &r.tokens[i]
			for _, b := range r.feats[t.from : t.from+int64(t.upTo[min(i, reach)])] {
				f(t, b)
			}
		}
	}
	each(func(_ *token, b uint32) { counts[b] = min(counts[b]+1, maxCount) })
	square := 0.0
	for _, n := range counts {
		v := t.Value(n)
		square += float64(v * v)
	}
	var all []Contribution
	each(func(tok *token, b uint32) {
		if n := len(all); n == 0 || all[n-1].Start != tok.start {
			all = append(all, Contribution{Start: tok.start, End: tok.end})
		}
		n := counts[b]
		all[len(all)-1].Score += float64(w.Any[b]) * w.Scale * t.Value(n) / float64(n) / math.Sqrt(square)
	})
	slices.SortStableFunc(all, func(a, b Contribution) int { return cmp.Compare(b.Score, a.Score) })
	return all
}
