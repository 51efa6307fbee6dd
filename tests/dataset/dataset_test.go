//go:build dataset

// Package dataset measures the default policy on labelled prompts. The sets are
// not part of the repository, so this is built only with the tag dataset, as
// `make test-data DATA=DIR` does.
package dataset

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// row is a line of a set.
type row struct {
	Text     string `json:"text"`
	Category string `json:"category"`
	Role     string `json:"role"` // "completion" marks an answer
}

// judged is a line of policy classify's output.
type judged struct {
	ID     int    `json:"id"`
	Action string `json:"action"`
}

// TestData prints how much of each category the default policy blocks, and
// fails if it blocks a hundredth of what is benign (evaluation E1.2).
func TestData(t *testing.T) {
	dir := os.Getenv("TEST_DATA")
	rows := read(t, dir)
	if len(rows) == 0 {
		t.Fatalf("no rows below %s", dir)
	}
	total, blocked := make(map[string]int), make(map[string]int)
	for _, stage := range []string{"input", "output"} {
		for i, action := range classify(t, stage, rows) {
			category := rows[i].Category
			total[category]++
			if action == "BLOCK" {
				blocked[category]++
			}
		}
	}
	names := make([]string, 0, len(total))
	for name := range total {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t.Logf("%-16s %6d rows, %5d blocked, %6.2f%%", name, total[name], blocked[name], 100*float64(blocked[name])/float64(total[name]))
	}
	if n, of := blocked["BENIGN"], total["BENIGN"]; of == 0 || 100*n >= of {
		t.Errorf("%d of %d benign rows are blocked, want under 1%%", n, of)
	}
}

func read(t *testing.T, dir string) (rows []row) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			var r row
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// classify returns the actions for the rows of a stage, by their index.
func classify(t *testing.T, stage string, rows []row) map[int]string {
	t.Helper()
	var in bytes.Buffer
	for i, r := range rows {
		if (r.Role == "completion") == (stage == "output") {
			text, err := json.Marshal(r.Text)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&in, "{\"id\":%d,\"text\":%s}\n", i, text)
		}
	}
	cmd := exec.Command("go", "run", "../../cmd/confidential-safety", "policy", "classify", "--stage", stage)
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	actions := make(map[int]string)
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		var j judged
		if err := json.Unmarshal(lines.Bytes(), &j); err != nil {
			t.Fatal(err)
		}
		actions[j.ID] = j.Action
	}
	return actions
}
