//go:build dataset

package classify

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/difflabai/confidential-safety/verdict"
)

// prompt is a row of a labelled set.
type prompt struct {
	ID       string `json:"id"`
	Text     string `json:"text"`
	Category string `json:"category"`
	Role     string `json:"role"`
}

func prompts(t *testing.T) (rows []prompt) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(os.Getenv("TEST_DATA"), "*", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sets below TEST_DATA: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			var r prompt
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// atLeast is what a prompt is flagged by.
const atLeast = 0.85

func flagged(t *testing.T, s Scanner, text string) bool {
	matches, _ := scanAll(t, s, text)
	for _, m := range matches {
		if m.Confidence >= atLeast {
			return true
		}
	}
	return false
}

// TestDataDisguised measures how much of what is found in plain text is found in
// each disguise, and what views flag of benign prompts that their plain text does
// not.
func TestDataDisguised(t *testing.T) {
	p, err := NewPatterns(defaultRules(t))
	if err != nil {
		t.Fatal(err)
	}
	plain, views := p.NewScanner(verdict.PreInferenceGate), Views(p).NewScanner(verdict.PreInferenceGate)
	var caught []prompt
	benign, before, after := 0, 0, 0
	for _, r := range prompts(t) {
		was := flagged(t, plain, r.Text)
		if r.Category == "BENIGN" {
			benign++
			if was {
				before++
			}
			if flagged(t, views, r.Text) {
				after++
				if !was {
					t.Logf("benign, flagged in a view: %s", r.ID)
				}
			}
		} else if was && len(r.Text) < 600 && len(r.Text)%7 == 0 && len(caught) < 800 {
			caught = append(caught, r)
		}
	}
	t.Logf("%d benign: %d flagged in plain text, %d in views; %d harmful ones are disguised", benign, before, after, len(caught))
	if after > before+benign/1000 {
		t.Errorf("views flag %d benign prompts more", after-before)
	}
	all, ascii := 0, 0
	for _, d := range disguises {
		var n, of [2]int
		for _, r := range caught {
			k := 0
			if strings.ContainsFunc(r.Text, func(c rune) bool { return c >= utf8.RuneSelf }) {
				k = 1
			}
			if of[k]++; flagged(t, views, d.do(r.Text)) {
				n[k]++
			} else if k == 0 && testing.Verbose() {
				t.Logf("%s, missed: %s", d.name, r.ID)
			}
		}
		all += n[0]
		ascii += of[0]
		t.Logf("%-30s %6.2f%%, not of ASCII %6.2f%%", d.name, 100*float64(n[0])/float64(of[0]), 100*float64(n[1])/float64(of[1]))
	}
	t.Logf("%-30s %6.2f%%", "all", 100*float64(all)/float64(ascii))
}
