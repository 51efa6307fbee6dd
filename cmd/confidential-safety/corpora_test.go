package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpusRow is a line of a file below testdata/detection.
type corpusRow struct {
	ID       string `json:"id"`
	Text     string `json:"text"`
	Category string `json:"category"`
	Role     string `json:"role"`
	Lang     string `json:"lang"`
}

// readCorpus reads a file below testdata/detection. A member that is missing,
// misspelt or one too many is an error.
func readCorpus(t *testing.T, name string) []corpusRow {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "detection", name))
	if err != nil {
		t.Fatal(err)
	}
	var rows []corpusRow
	for i, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		var r corpusRow
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&r); err != nil || d.More() {
			t.Fatalf("%s, line %d: not one row: %v", name, i+1, err)
		}
		if r.ID == "" || r.Text == "" || r.Category == "" || r.Role == "" || r.Lang == "" {
			t.Fatalf("%s, line %d: a member is missing or empty", name, i+1)
		}
		rows = append(rows, r)
	}
	return rows
}

// blockedByDefault says of each row, by its id, whether the embedded default
// policy blocks it: prompts as input, completions as output.
func blockedByDefault(t *testing.T, rows []corpusRow) map[string]bool {
	t.Helper()
	blocked := make(map[string]bool, len(rows))
	for _, stage := range []struct{ name, role string }{{"input", "prompt"}, {"output", "completion"}} {
		var in strings.Builder
		sent := 0
		for _, r := range rows {
			if r.Role == stage.role {
				line, err := json.Marshal(map[string]string{"id": r.ID, "text": r.Text})
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&in, "%s\n", line)
				sent++
			}
		}
		r := call(t, in.String(), "policy", "classify", "--stage", stage.name)
		if r.code != 0 {
			t.Fatalf("policy classify --stage %s: exit code %d: %s", stage.name, r.code, r.stderr)
		}
		answers := json.NewDecoder(strings.NewReader(r.stdout))
		for ; answers.More(); sent-- {
			var a struct{ ID, Action string }
			if err := answers.Decode(&a); err != nil {
				t.Fatal(err)
			}
			blocked[a.ID] = a.Action == "BLOCK"
		}
		if sent != 0 {
			t.Fatalf("policy classify --stage %s: %d rows are without an answer", stage.name, sent)
		}
	}
	if len(blocked) != len(rows) {
		t.Fatalf("%d rows, %d answers", len(rows), len(blocked))
	}
	return blocked
}
