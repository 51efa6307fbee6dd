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
	Start int64  `json:"start"` // in bytes
	End   int64  `json:"end"`
	Text  string `json:"text"`
	// View is the reading in which it was found, if not as it stands, and Reads
	// what the text is there.
	View   string `json:"view,omitempty"`
	Reads  string `json:"reads,omitempty"`
	Source string `json:"source"` // file:line of the pattern, or the model's ID
	Rule   *rule  `json:"rule,omitempty"`
	// Words are those that the local model goes by, of a window that it finds
	// something in.
	Words []weight `json:"words,omitempty"`
}

// weight is a word and what it adds to the score of a window.
type weight struct {
	Start int64   `json:"start"`
	End   int64   `json:"end"`
	Text  string  `json:"text"`
	Score float64 `json:"score"`
}

// mostWords is how many words of a window are shown.
const mostWords = 12

// rule is what met where a match is of a rule.
type rule struct {
	Name     string `json:"name"`
	Lang     string `json:"lang,omitempty"`
	Words    []word `json:"words"`
	Distance int    `json:"distance"` // in characters, of which near are allowed
	Near     int    `json:"near"`
}

// word is a literal of a rule's set in the text.
type word struct {
	Set   string `json:"set"`
	Start int64  `json:"start"`
	End   int64  `json:"end"`
	Text  string `json:"text"`
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
	locals, err := localClassifiers(j.bundle)
	if err != nil {
		return nil, err
	}
	e := &explanation{Action: d.Action, RiskCategory: d.Category, Categories: []weighed{}, Matches: []match{}}
	for _, f := range d.Findings {
		threshold := j.threshold(f.Category)
		e.Categories = append(e.Categories, weighed{f, threshold, f.Confidence >= threshold})
	}
	for _, m := range matches {
		words, err := classify.Undone(ctx, text, m)
		if err != nil {
			return nil, err
		}
		found := match{Finding: m.Finding, Start: m.Start, End: m.End, Text: string(text[m.Start:m.End])}
		if m.View != classify.Plain {
			found.View, found.Reads = m.View.String(), words
		}
		if i := slices.IndexFunc(locals, func(l *classify.Local) bool { return l.ID() == m.ClassifierID }); i >= 0 {
			found.Source = m.ClassifierID
			found.Words = weighted(locals[i], words, m)
		}
		if r := origin(rules, m, words); r != nil {
			found.Source = fmt.Sprintf("%s:%d", r.File, r.Line)
			if found.Rule, err = met(ctx, r, words, m); err != nil {
				return nil, err
			}
		}
		e.Matches = append(e.Matches, found)
	}
	return e, nil
}

// weighted names the words of a window by which the local model judged it. Words
// that do not stand there as they are have the match's place.
func weighted(l *classify.Local, window string, m classify.Match) (words []weight) {
	for _, w := range l.Why(window) {
		if w.Score <= 0 || len(words) == mostWords {
			break
		}
		start, end := m.Start+w.Start, m.Start+w.End
		if m.View != classify.Plain {
			start, end = m.Start, m.End
		}
		words = append(words, weight{start, end, window[w.Start:w.End], w.Score})
	}
	return words
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

// origin finds the phrase or the rule that a match is of.
func origin(rules []classify.Rule, m classify.Match, words string) *classify.Rule {
	for i := range rules {
		r := &rules[i]
		if r.Category != m.Category || r.ID() != m.ClassifierID {
			continue
		}
		// What is undone as one may be more than the phrase.
		if r.Signature != nil || classify.SameWords(r.Text, words) || m.View != classify.Plain && classify.HasWords(words, r.Text) {
			return r
		}
	}
	return nil
}

// met says what met of a rule in the words of a match, nil of a phrase. Words that
// do not stand there as they are have the match's place.
func met(ctx context.Context, r *classify.Rule, words string, m classify.Match) (*rule, error) {
	if r.Signature == nil {
		return nil, nil //nolint:nilnil // a phrase has no more to say
	}
	found, distance, err := r.Words(ctx, words)
	if err != nil {
		return nil, err
	}
	why := &rule{Name: r.Text, Lang: r.Signature.Lang, Distance: distance, Near: r.Signature.Near, Words: []word{}}
	for _, w := range found {
		start, end := m.Start+w.Start, m.Start+w.End
		if m.View != classify.Plain {
			start, end = m.Start, m.End
		}
		why.Words = append(why.Words, word{w.Set, start, end, words[w.Start:w.End]})
	}
	return why, nil
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
		text := fmt.Sprintf("  bytes %d-%d %q", m.Start, m.End, m.Text)
		if m.View != "" {
			text += fmt.Sprintf(", %s: %q", m.View, m.Reads)
		}
		text += fmt.Sprintf(": %s (%s %v)", m.Source, m.Category, m.Confidence)
		if m.Rule != nil {
			text += fmt.Sprintf(" rule %s, over %d of at most %d characters:", m.Rule.Name, m.Rule.Distance, m.Rule.Near)
			for _, w := range m.Rule.Words {
				text += fmt.Sprintf(" {%s} %q", w.Set, w.Text)
			}
		}
		for i, w := range m.Words {
			if i == 0 {
				text += " by"
			}
			text += fmt.Sprintf(" %q %+.2f", w.Text, w.Score)
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
	return nil
}
