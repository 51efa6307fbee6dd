package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/difflabai/confidential-safety/classify/model"
)

// report counts what would be flagged: at confidences, and at the scores at
// which so many of the benign natural rows of the validation are.
type report struct {
	calibration model.Calibration
	levels      []level
}

type level struct {
	name string
	z    float64 // of the loudest window
}

// newReport starts with the confidences that policies use.
func newReport(c model.Calibration) *report { return &report{calibration: c} }

// voice is the logit of a text's confidence.
func (rep *report) voice(windows []float64) float64 {
	c := rep.calibration
	return float64(c.Slope*loudest(windows, c.PerWindow/c.Slope)) + c.Offset
}

// quantiles adds the levels at which so many of the benign rows are flagged that
// are not made of templates.
func (rep *report) quantiles(rows []row, z []float64) {
	var benign []float64
	for i := range rows {
		if rows[i].Category == "BENIGN" && !rows[i].generated() {
			benign = append(benign, z[i])
		}
	}
	slices.Sort(benign)
	for _, l := range []struct {
		name string
		z    float64
	}{{".70", logit(.70)}, {".80", logit(.80)}, {".85", logit(.85)}, {".90", logit(.90)}} {
		rep.levels = append(rep.levels, level{l.name, l.z})
	}
	for _, f := range []float64{0.003, 0.005, 0.01, 0.02} {
		if n := len(benign); n > 0 {
			rep.levels = append(rep.levels, level{fmt.Sprintf("%.1f%%", 100*f), benign[n-1-int(f*float64(n))]})
		}
	}
}

// table prints how many rows of each kind are flagged. The first one sets the
// levels.
func (rep *report) table(out io.Writer, rows []row, scores [][]float64) error {
	z := make([]float64, len(rows))
	for i := range rows {
		z[i] = rep.voice(scores[i])
	}
	if rep.levels == nil {
		rep.quantiles(rows, z)
	}
	counts := make(map[string][]int)
	for i := range rows {
		for _, k := range kinds(&rows[i]) {
			c := counts[k]
			if c == nil {
				c = make([]int, 1+len(rep.levels))
				counts[k] = c
			}
			c[0]++
			for j, l := range rep.levels {
				if z[i] >= l.z {
					c[1+j]++
				}
			}
		}
	}
	text := fmt.Sprintf("%-52s %6s", "flagged, in %", "rows")
	for _, l := range rep.levels {
		text += fmt.Sprintf(" %6s", l.name)
	}
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		c := counts[k]
		text += fmt.Sprintf("\n%-52s %6d", k, c[0])
		for _, n := range c[1:] {
			text += fmt.Sprintf(" %6.2f", 100*float64(n)/float64(c[0]))
		}
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

// kinds are what a row counts for.
func kinds(r *row) []string {
	class := "benign"
	switch {
	case r.harmful():
		class = "harmful"
	case r.Category != "BENIGN":
		class = "other harm"
	}
	all := []string{"source " + r.Source + ", " + class + " " + r.Role}
	if r.generated() {
		return append(all, "= templates, "+class)
	}
	all = append(all, "= "+class)
	switch class {
	case "benign":
		all = append(all, "= benign, "+r.Lang)
		if lookAlike(r) {
			all = append(all, "= look-alikes")
		}
	case "harmful":
		all = append(all, "= harmful, "+r.Category)
		if r.Lang == "en" && !strings.Contains(r.Source, "interpreter") {
			all = append(all, "= harmful, English without interpreter")
		}
	}
	return all
}

// lookAlike reports whether a source was made to be mistaken.
func lookAlike(r *row) bool {
	return r.Role == "prompt" && (strings.HasPrefix(r.Source, "xstest") || strings.HasPrefix(r.Source, "notinject")) || r.Source == "cyberseceval-frr"
}
