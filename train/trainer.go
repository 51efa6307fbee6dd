package main

import (
	"io"
	"strings"

	"github.com/difflabai/confidential-safety/classify"
	"github.com/difflabai/confidential-safety/classify/model"
)

// trainer fits models to parts of the rows.
type trainer struct {
	options
	rows []row
	cut  *cutter
	say  func(format string, a ...any)

	windows *matrix // of all rows, once cut
}

// nearly is the score from which a benign window is worth learning from again.
const nearly = -2.5

// matrix cuts all rows into the windows to learn from.
func (t *trainer) matrix() *matrix {
	if t.windows == nil {
		t.windows = t.cut.training(t.rows)
		t.say("%d windows, %d features", t.windows.len(), len(t.windows.bucket))
	}
	return t.windows
}

// mined adds those windows of benign rows that models took for harmful, or nearly.
func (t *trainer) mined(judge func(row int) *model.Weights) *matrix {
	m := t.matrix().clone()
	n := m.len()
	for i := range t.rows {
		if t.rows[i].harmful() {
			continue
		}
		w := judge(i)
		if w == nil {
			continue
		}
		t.cut.windows(t.rows[i].Text, func(_ model.Window, features []model.Feature) {
			if w.Judge(t.cut.tables, features) > nearly {
				m.add(t.cut.tables, features, i, 0, t.rows[i].weight)
			}
		})
	}
	t.say("%d windows mined", m.len()-n)
	return m
}

// fit trains on the rows that are used: once, then again with what was mistaken.
func (t *trainer) fit(use func(row int) bool) *model.Weights {
	first := fitAny(t.matrix(), use, t.c, t.iterations)
	m := t.mined(func(row int) *model.Weights {
		if use(row) {
			return first
		}
		return nil
	})
	w := fitAny(m, use, t.c, t.iterations)
	fitHeads(w, m, t.rows, use, t.c, t.iterations)
	t.say("fitted")
	return w
}

// crossValidate scores each row by a model that has not seen its part.
func (t *trainer) crossValidate() [][]float64 {
	scores := make([][]float64, len(t.rows))
	for k := range folds {
		w := t.fit(func(row int) bool { return t.rows[row].fold != k })
		for i := range t.rows {
			if t.rows[i].fold == k {
				scores[i] = t.scoreOf(w, t.rows[i].Text)
			}
		}
	}
	return scores
}

// validateLeftOut trains without some sources, which shows better than parts of
// the same sources do what to expect of text from elsewhere. One part of the
// benign rows and of the templates is left out, too.
func (t *trainer) validateLeftOut(out io.Writer) error {
	left := make(map[string]bool)
	for s := range strings.SplitSeq(t.leaveOut, ",") {
		left[s] = true
	}
	unseen := func(i int) bool {
		r := &t.rows[i]
		return left[r.Source] || r.fold == 0 && (!r.harmful() || r.generated())
	}
	w := t.fit(func(row int) bool { return !unseen(row) })
	var rows []row
	for i := range t.rows {
		if unseen(i) {
			rows = append(rows, t.rows[i])
		}
	}
	scores := t.score(rows, w)
	w.Calibration = calibrate(rows, scores)
	t.say("calibration %+v", w.Calibration)
	return newReport(w.Calibration).table(out, rows, scores)
}

func (t *trainer) score(rows []row, w *model.Weights) [][]float64 {
	scores := make([][]float64, len(rows))
	for i := range rows {
		scores[i] = t.scoreOf(w, rows[i].Text)
	}
	return scores
}

// scoreOf scores the windows of a text.
func (t *trainer) scoreOf(w *model.Weights, text string) []float64 {
	only := &model.Weights{Any: w.Any, Scale: w.Scale, Bias: w.Bias} // no heads: nobody asks
	var scores []float64
	for _, window := range model.NewReader(only, t.cut.tables).Read(&t.cut.scratch, classify.Normalised(text), 0, true, nil) {
		scores = append(scores, window.Score)
	}
	return scores
}
