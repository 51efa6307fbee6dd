package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/difflabai/confidential-safety/measure"
	"github.com/difflabai/confidential-safety/verdict"
)

func evalCommand() *cobra.Command {
	var e evaluation
	var asJSON bool
	var misjudged string
	cmd := &cobra.Command{
		Use:   "eval FILE...",
		Short: "Measure a policy on labelled rows",
		Long: `Judge labelled texts and print how many of those with a risk are stopped and how many of
those without, by source, category, language and length, with 95% confidence intervals.

FILE has a line of JSON for each row: "text", "role" (prompt, or completion or response),
"category" (BENIGN, a risk such as CBRN, or OTHER_HARM or UNLABELLED_HARM), and, if known,
"id", "source", "lang" and "harmful". Other members are ignored. For - standard input is read.`,
		Example: `  confidential-safety policy eval rows.jsonl
  confidential-safety policy eval --policy policy.toml --json train/*.jsonl
  confidential-safety policy eval --policy policy.toml --misjudged misjudged.jsonl - <rows.jsonl`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := e.load(cmd); err != nil {
				return usage(err)
			}
			inputs, err := openInputs(args, cmd.InOrStdin())
			if err != nil {
				return usage(err)
			}
			if cmd.Flags().Changed("misjudged") {
				list, err := createList(misjudged, inputs)
				if err != nil {
					closeInputs(inputs)
					return usage(err)
				}
				defer list.Close() //nolint:errcheck // what was written is flushed, and checked, before
				e.misjudged = bufio.NewWriter(list)
			}
			e.progress = newProgress(cmd.ErrOrStderr(), inputs)
			report, err := e.measure(cmd.Context(), inputs)
			if err != nil {
				return err
			}
			if asJSON {
				err = plainJSON(cmd.OutOrStdout()).Encode(report)
			} else {
				err = report.Print(cmd.OutOrStdout())
			}
			if err != nil {
				return fmt.Errorf("standard output: %w", err)
			}
			return nil
		},
	}
	e.addPolicyFlag(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&misjudged, "misjudged", "", "`file` for a line of JSON for each row that came out otherwise than labelled: its place and id, never its text")
	return cmd
}

// evaluation is policy eval at work.
type evaluation struct {
	judge
	tally     *measure.Tally
	rows      int           // of the file so far
	misjudged *bufio.Writer // nil if nobody asked
	progress  *progress
}

// measure judges all rows.
func (e *evaluation) measure(ctx context.Context, inputs []*source) (*measure.Report, error) {
	e.tally = measure.NewTally(e.bundle.Policy)
	err := e.judgeAll(ctx, inputs, e.count)
	e.progress.end()
	if err == nil && e.misjudged != nil {
		if err = e.misjudged.Flush(); err != nil {
			err = fmt.Errorf("--misjudged: %w", err)
		}
	}
	if err != nil {
		return nil, err
	}
	return e.tally.Report(e.bundle.Hash(), len(inputs)), nil
}

// count takes the batches in their order.
func (e *evaluation) count(b *batch) error {
	for i := range b.rows {
		r := &b.rows[i]
		class, err := e.tally.Add(&r.label, &r.decision)
		if err == nil {
			err = e.list(b.file, r, class)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", b.file, r.line, err)
		}
	}
	e.progress.add(len(b.rows), b.size)
	if e.rows += len(b.rows); b.err == nil && b.last {
		if e.rows == 0 {
			return fmt.Errorf("%s: no rows: nothing would be measured", b.file)
		}
		e.rows = 0
	}
	return b.err
}

// list writes where a row is that came out otherwise than labelled.
func (e *evaluation) list(file string, r *judgedRow, class measure.Class) error {
	stopped := r.decision.Action == verdict.Block
	as := ""
	switch {
	case class == measure.Positive && !stopped:
		as = "missed"
	case class == measure.Positive && r.decision.Category != r.label.Category:
		as = "misnamed"
	case class == measure.Negative && stopped:
		as = "false_positive"
	case class == measure.OutOfScope && stopped:
		as = "out_of_scope"
	}
	if e.misjudged == nil || as == "" {
		return nil
	}
	err := plainJSON(e.misjudged).Encode(struct {
		File         string           `json:"file"`
		Line         int              `json:"line"`
		ID           json.RawMessage  `json:"id"`
		As           string           `json:"as"`
		Category     verdict.Category `json:"category"`
		Action       verdict.Action   `json:"action"`
		RiskCategory verdict.Category `json:"risk_category"`
	}{file, r.line, json.RawMessage(r.label.ID), as, r.label.Category, r.decision.Action, r.decision.Category})
	if err != nil {
		return fmt.Errorf("--misjudged: %w", err)
	}
	return nil
}

// plainJSON writes JSON that need not be fit for HTML.
func plainJSON(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}
