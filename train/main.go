// Command train makes the weights of the local model from labelled rows, from
// templates of requests, and from natural text. The same input gives the same
// bytes.
//
// It prints what its cross-validation found. The rows of an evaluation are only
// read to report on them, after all is decided. Never put a row of either into
// the repository.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/difflabai/confidential-safety/classify/model"
)

// options are where things are and how hard to try.
type options struct {
	data, phrases, natural string // directories
	evaluation             string // directories, with commas; "" for none
	out                    string // file of the weights, or "" for none
	leaveOut               string // sources to validate on, with commas
	c                      float64
	iterations             int
}

func main() {
	var o options
	flag.StringVar(&o.phrases, "phrases", "train/phrases", "directory of templates")
	flag.StringVar(&o.natural, "natural", "", "directory of unpacked packages with natural text")
	flag.StringVar(&o.evaluation, "eval", "", "report on the labelled rows of these directories, too, with commas between")
	flag.StringVar(&o.out, "out", "", "file to write the weights to")
	flag.StringVar(&o.leaveOut, "leave-out", "", "train without these sources, with commas between, and report on them")
	flag.Float64Var(&o.c, "c", 30, "inverse of the penalty on weights")
	flag.IntVar(&o.iterations, "iterations", 50, "most steps of a fit")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "train: name one directory of labelled rows, as in: train -out weights.bin ../data/train")
		os.Exit(2)
	}
	o.data = flag.Arg(0)
	if err := train(o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

// train does all steps.
func train(o options, out io.Writer) error {
	begun := time.Now()
	say := func(format string, a ...any) {
		_, _ = fmt.Fprintf(out, "%6.1fs %s\n", time.Since(begun).Seconds(), fmt.Sprintf(format, a...)) // progress
	}
	rows, err := o.rows()
	if err != nil {
		return err
	}
	split(rows)
	say("%d rows", len(rows))
	tables, err := model.NewTables()
	if err != nil {
		return err
	}
	t := &trainer{options: o, rows: rows, cut: &cutter{tables: tables}, say: say}
	if o.leaveOut != "" {
		return t.validateLeftOut(out)
	}
	scores := t.crossValidate()
	all := func(int) bool { return true }
	w, m := t.fit(all)
	fitHeads(w, m, rows, all, o.c, o.iterations)
	w.Calibration = calibrate(rows, scores)
	say("calibration %+v", w.Calibration)
	rep := newReport(w.Calibration)
	if err := rep.table(out, rows, scores); err != nil {
		return err
	}
	if err := t.evaluate(out, rep, w); err != nil {
		return err
	}
	if o.out == "" {
		return nil
	}
	data, err := w.Encode()
	if err != nil {
		return err
	}
	if _, err := model.Parse(o.out, data); err != nil {
		return err
	}
	return os.WriteFile(o.out, data, 0o644) //nolint:gosec // as the rest of the repository
}

// rows reads all that there is to learn from.
func (o *options) rows() ([]row, error) {
	rows, err := readRows(o.data)
	if err != nil {
		return nil, err
	}
	rows = prepare(rows)
	files, err := readPhrases(os.DirFS(o.phrases))
	if err != nil {
		return nil, err
	}
	rows = append(rows, newExpander(files).rows()...)
	if o.natural == "" {
		return rows, nil
	}
	natural, err := readNatural(os.DirFS(o.natural))
	if err != nil {
		return nil, err
	}
	if len(natural) == 0 {
		return nil, fmt.Errorf("%s: no natural text: unpack the packages there", o.natural)
	}
	return append(rows, natural...), nil
}
