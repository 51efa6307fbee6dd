package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/measure"
)

// What docs/policy.md shows of policy eval is what it prints, in all of its
// forms.
func TestDocumentedEval(t *testing.T) {
	document := documentedPolicy(t)
	rows := block(t, document, "<!-- rows to measure -->\n```json\n")
	writeFile(t, "rows.jsonl", rows)
	want := block(t, document, "<!-- eval -->\n```console\n$ confidential-safety policy eval --policy policy.toml rows.jsonl\n")
	if r := call(t, "", "policy", "eval", "--policy", "policy.toml", "--misjudged", "list.jsonl", "rows.jsonl"); r.stdout != want || r.code != 0 {
		t.Errorf("%s%s\nwant %s", r.stdout, r.stderr, want)
	}
	list, err := os.ReadFile("list.jsonl")
	if want := block(t, document, "<!-- misjudged -->\n```json\n"); err != nil || string(list) != want {
		t.Errorf("%v, %s, want %s", err, list, want)
	}
	r := call(t, rows, "policy", "eval", "--policy", "policy.toml", "--json", "-")
	var report measure.Report
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil || r.code != 0 || report.Rows != strings.Count(rows, "\n") {
		t.Errorf("%v: %+v", err, r)
	}
}
