package main

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/difflabai/confidential-safety/classify"
	"github.com/difflabai/confidential-safety/classify/model"
)

// matrix is windows as sparse vectors of length 1.
type matrix struct {
	start  []int // of each window in the two below, and the end
	bucket []uint32
	value  []float32
	label  []float64 // 1 or 0
	weight []float64
	row    []int // the window's row
}

func (m *matrix) len() int { return len(m.label) }

// clone returns a matrix that grows by itself.
func (m *matrix) clone() *matrix {
	return &matrix{slices.Clip(m.start), slices.Clip(m.bucket), slices.Clip(m.value), slices.Clip(m.label), slices.Clip(m.weight), slices.Clip(m.row)}
}

// add appends a window.
func (m *matrix) add(t *model.Tables, features []model.Feature, row int, label, weight float64) {
	if len(m.start) == 0 {
		m.start = []int{0}
	}
	square := 0.0
	for _, f := range features {
		v := t.Value(f.Count)
		square += float64(v * v)
	}
	norm := math.Sqrt(square)
	for _, f := range features {
		m.bucket = append(m.bucket, f.Bucket)
		m.value = append(m.value, float32(t.Value(f.Count)/norm))
	}
	m.start = append(m.start, len(m.bucket))
	m.label = append(m.label, label)
	m.weight = append(m.weight, weight)
	m.row = append(m.row, row)
}

// cutter cuts rows into windows.
type cutter struct {
	tables  *model.Tables
	scratch model.Scratch
}

// windows calls f with each window of a text and whether it is the last of its
// text.
func (c *cutter) windows(text string, f func(w model.Window, features []model.Feature)) {
	r := model.NewReader(nil, c.tables)
	r.Visit(f)
	r.Read(&c.scratch, classify.Normalised(text), 0, true, nil)
}

// training makes the windows of the rows to learn from. Of a harmful row those
// count that hold nearly all of its request, or as much as they can; those that
// hold a part are left out, and those that hold nothing of it are benign.
func (c *cutter) training(rows []row) *matrix {
	m := &matrix{}
	rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same choice each time is the point
	for i := range rows {
		r := &rows[i]
		from, to := int64(0), int64(math.MaxInt64)
		if r.core != [2]int{} {
			from = int64(len(classify.Normalised(r.Text[:r.core[0]])))
			to = int64(len(classify.Normalised(r.Text[:r.core[1]])))
		}
		length := int64(len(classify.Normalised(r.Text)))
		to = min(to, length)
		harmful := r.harmful()
		firsts := 0
		c.windows(r.Text, func(w model.Window, features []model.Feature) {
			size := w.End - w.Start
			label := 0.0
			if harmful {
				common := min(w.End, to) - max(w.Start, from)
				switch {
				case common*10 >= (to-from)*8:
					label = 1
				case common*10 >= size*9 && w.Start <= from+8 && size > 140 && firsts < 2:
					label = 1 // the beginning of a long request
					firsts++
				case common > 0:
					return
				}
			}
			if label == 0 && size < length*9/10 && size <= 170 && rng.IntN(5) > 0 {
				return
			}
			m.add(c.tables, features, i, label, r.weight)
		})
	}
	return m
}
