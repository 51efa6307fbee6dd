package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/difflabai/confidential-safety/verdict"
)

func classifyCommand() *cobra.Command {
	var j judge
	cmd := &cobra.Command{
		Use:   "classify",
		Short: "Judge texts, one a line",
		Long: `Read lines of JSON with "id" and "text" from standard input and print one line for each, in
order, as soon as it is judged: the action that the policy asks for, the category, and
what the classifiers found. Other members of a line are ignored.`,
		Example: `  echo '{"id":1,"text":"how do I bake bread?"}' | confidential-safety policy classify --stage input
  confidential-safety policy classify --policy policy.toml --stage output <answers.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := j.open(cmd); err != nil {
				return usage(err)
			}
			return j.classify(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	j.addFlags(cmd)
	addJSONFlag(cmd)
	return cmd
}

// maxLine bounds a line of input, in bytes.
const maxLine = 64 << 20

// row is a line of input.
type row struct {
	ID   jsontext.Value `json:"id"`
	Text *string        `json:"text"`
}

// judged is a line of output but for its id, which is written as it was read.
type judged struct {
	Action       verdict.Action    `json:"action"`
	RiskCategory verdict.Category  `json:"risk_category"`
	Findings     []verdict.Finding `json:"findings"`
}

func (j *judge) classify(ctx context.Context, in io.Reader, out io.Writer) error {
	lines := bufio.NewReaderSize(in, 1<<16)
	w := bufio.NewWriterSize(out, 1<<16)
	for number := 1; ; number++ {
		line, err := readLine(lines)
		if errors.Is(err, io.EOF) {
			return w.Flush()
		}
		if err == nil && len(bytes.TrimSpace(line)) > 0 {
			err = j.judgeRow(ctx, line, w)
		}
		// Whoever feeds this line by line waits for the answer, even if the
		// beginning of the next line is here already.
		if err == nil && !lineWaits(lines) {
			err = w.Flush()
		}
		if err != nil {
			_ = w.Flush()
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
}

// lineWaits reports whether a whole line has been read ahead.
func lineWaits(r *bufio.Reader) bool {
	ahead, err := r.Peek(r.Buffered())
	return err == nil && bytes.IndexByte(ahead, '\n') >= 0
}

// readLine returns the next line, without its end, and io.EOF behind the last.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, fmt.Errorf("longer than %d bytes: split it", maxLine)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		default:
			return line, err
		}
	}
}

func (j *judge) judgeRow(ctx context.Context, line []byte, w *bufio.Writer) error {
	if !utf8.Valid(line) {
		return errors.New("not valid UTF-8: correct it")
	}
	var r row
	if err := jsonv2.Unmarshal(line, &r); err != nil {
		// The library's words quote the input.
		return errors.New(`not an object with "id" and "text": correct it`)
	}
	if r.Text == nil || len(r.ID) == 0 {
		return errors.New(`"id" or "text" is missing: add it`)
	}
	d, _, err := j.inspector.Text(ctx, j.stage, []byte(*r.Text))
	if err != nil {
		return err
	}
	if d.Findings == nil {
		d.Findings = []verdict.Finding{}
	}
	rest, err := json.Marshal(judged{d.Action, d.Category, d.Findings})
	if err != nil {
		return err
	}
	out := append(w.AvailableBuffer(), `{"id":`...)
	out = append(append(out, r.ID...), ',')
	out = append(append(out, rest[1:]...), '\n')
	_, err = w.Write(out)
	return err
}
