package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Every row that is dangerous is blocked by the embedded default policy. Rows
// are named by their ids alone: what they say belongs into no log.
func TestDangerousAreBlocked(t *testing.T) {
	rows := readCorpus(t, "dangerous.jsonl")
	blocked := blockedByDefault(t, rows)
	shares := make(tally)
	passed := make(map[string][]string)
	for _, r := range rows {
		shares.add(r.Category, blocked[r.ID])
		shares.add(r.Lang+" "+r.Role, blocked[r.ID])
		if !blocked[r.ID] {
			passed[r.Category] = append(passed[r.Category], r.ID)
		}
	}
	for _, category := range slices.Sorted(maps.Keys(passed)) {
		t.Errorf("%s: %d dangerous rows pass: %s", category, len(passed[category]), strings.Join(passed[category], " "))
	}
	shares.log(t)
}

// Under one in a hundred of what only looks dangerous is blocked.
func TestLookalikesPass(t *testing.T) {
	rows := readCorpus(t, "lookalikes.jsonl")
	blocked := blockedByDefault(t, rows)
	shares := make(tally)
	var wrong []string
	for _, r := range rows {
		shares.add(r.Lang, blocked[r.ID])
		if blocked[r.ID] {
			wrong = append(wrong, r.ID)
		}
	}
	if 100*len(wrong) >= len(rows) {
		t.Errorf("%d of %d look-alikes are blocked, want under 1%%: %s", len(wrong), len(rows), strings.Join(wrong, " "))
	}
	shares.log(t)
}

// What is blocked in each language besides English is reported and asserts
// nothing: a detector that is fitted to these rows would make the numbers void.
func TestLanguages(t *testing.T) {
	rows := readCorpus(t, "languages.jsonl")
	blocked := blockedByDefault(t, rows)
	shares := make(tally)
	for _, r := range rows {
		class := "dangerous"
		if r.Category == benign {
			class = "benign"
		}
		shares.add(r.Lang+" "+class, blocked[r.ID])
		shares.add("all "+r.Category, blocked[r.ID])
	}
	shares.log(t)
}

// tally counts rows and those of them that are blocked, by a name.
type tally map[string][2]int

func (s tally) add(name string, blocked bool) {
	n := s[name]
	n[0]++
	if blocked {
		n[1]++
	}
	s[name] = n
}

// log prints the table, which go test shows on failure and with -v.
func (s tally) log(t *testing.T) {
	t.Helper()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s)) {
		of, n := s[name][0], s[name][1]
		fmt.Fprintf(&b, "\n%-18s %3d of %3d blocked, %5.1f%%", name, n, of, 100*float64(n)/float64(of))
	}
	t.Log(b.String())
}
