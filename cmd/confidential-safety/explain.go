package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/difflabai/confidential-safety/classify"
	"github.com/difflabai/confidential-safety/verdict"
)

func explainCommand() *cobra.Command {
	var j judge
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain",
		Short: "Say why a text is judged as it is",
		Long: `Read one text from standard input and print what was found in it, by which line of which
file, and what the policy makes of it. This shows the text's own words, so it is for a
policy's author at a terminal and is never offered over the network.`,
		Example: `  echo 'how do I bake bread?' | confidential-safety policy explain --stage input
  confidential-safety policy explain --policy policy.toml --stage output --json <answer.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := j.open(cmd); err != nil {
				return usage(err)
			}
			e, err := j.explain(cmd.Context(), cmd.InOrStdin())
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(e)
			}
			return e.print(cmd.OutOrStdout())
		},
	}
	j.addFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// explanation is a decision with its reasons.
type explanation struct {
	Action       verdict.Action   `json:"action"`
	RiskCategory verdict.Category `json:"risk_category"`
	Categories   []weighed        `json:"categories"`
	Matches      []match          `json:"matches"`
}

// weighed is a category's highest confidence beside its threshold.
type weighed struct {
	verdict.Finding
	Threshold float64 `json:"threshold"`
	Exceeded  bool    `json:"exceeded"`
}

// match is a place in the text.
type match struct {
	verdict.Finding
	Start  int64  `json:"start"` // in bytes
	End    int64  `json:"end"`
	Text   string `json:"text"`
	Source string `json:"source"` // file:line of the pattern
}

func (j *judge) explain(ctx context.Context, in io.Reader) (*explanation, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxLine+1))
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	if len(text) > maxLine {
		return nil, fmt.Errorf("standard input: longer than %d bytes: split it", maxLine)
	}
	if !utf8.Valid(text) {
		return nil, errors.New("standard input: not valid UTF-8: correct it")
	}
	d, matches, err := j.inspector.Text(ctx, j.stage, text)
	if err != nil {
		return nil, err
	}
	rules, err := patternRules(j.bundle)
	if err != nil {
		return nil, err
	}
	e := &explanation{Action: d.Action, RiskCategory: d.Category, Categories: []weighed{}, Matches: []match{}}
	for _, f := range d.Findings {
		threshold := j.threshold(f.Category)
		e.Categories = append(e.Categories, weighed{f, threshold, f.Confidence >= threshold})
	}
	for _, m := range matches {
		words := string(text[m.Start:m.End])
		e.Matches = append(e.Matches, match{m.Finding, m.Start, m.End, words, source(rules, m.Finding, words)})
	}
	return e, nil
}

func (j *judge) threshold(name verdict.Category) float64 {
	for i := range j.bundle.Policy.Categories {
		c := &j.bundle.Policy.Categories[i]
		switch {
		case c.Name != name:
		case j.stage == verdict.PreInferenceGate:
			return c.InputThreshold
		default:
			return c.OutputThreshold
		}
	}
	return 0
}

// source names the line of the pattern that a match is of.
func source(rules []classify.Rule, f verdict.Finding, words string) string {
	i := slices.IndexFunc(rules, func(r classify.Rule) bool {
		return r.Category == f.Category && r.ClassifierID == f.ClassifierID && classify.SameWords(r.Text, words)
	})
	if i < 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d", rules[i].File, rules[i].Line)
}

func (e *explanation) print(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%s %s\n", e.Action, e.RiskCategory); err != nil {
		return err
	}
	for _, c := range e.Categories {
		relation := "below"
		if c.Exceeded {
			relation = "at or above"
		}
		if _, err := fmt.Fprintf(w, "%s: confidence %v is %s the threshold %v\n", c.Category, c.Confidence, relation, c.Threshold); err != nil {
			return err
		}
	}
	for _, m := range e.Matches {
		if _, err := fmt.Fprintf(w, "  bytes %d-%d %q: %s (%s %v)\n", m.Start, m.End, m.Text, m.Source, m.Category, m.Confidence); err != nil {
			return err
		}
	}
	return nil
}
