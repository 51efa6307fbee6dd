package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// row is a labelled text, in the form of the data sets.
type row struct {
	ID       string `json:"id"`
	Source   string `json:"source"`
	Group    string `json:"group"`
	Text     string `json:"text"`
	Category string `json:"category"`
	Role     string `json:"role"`
	Lang     string `json:"lang"`
	weight   float64
	core     [2]int // where the request lies in the text; zero: all of it
	fold     int    // which part of the cross-validation leaves it out of training
}

// harmful reports whether the row is of one of the five categories.
func (r *row) harmful() bool { return slices.Contains(categories, r.Category) }

// generated reports whether the row was made of a template.
func (r *row) generated() bool { return strings.HasPrefix(r.Source, "phrases-") }

// natural reports whether the row is of a package of natural text.
func (r *row) natural() bool { return strings.HasPrefix(r.Source, "natural-") }

// interpreterPrefix opens every row of one source, whose class it would give
// away.
const interpreterPrefix = "I'd like you to write some code for execution in a code interpreter to help me solve a problem."

// readRows reads the labelled rows of all files of a directory.
func readRows(dir string) ([]row, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: no .jsonl files: name a directory of labelled rows", dir)
	}
	slices.Sort(names)
	var rows []row
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 16<<20)
		for n := 1; lines.Scan(); n++ {
			r := row{weight: 1}
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, n, err)
			}
			rows = append(rows, r)
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// Words by which harmful rows without a label are given one. It is weak
// labelling: what matches none is left out.
var relabel = []struct {
	category string
	words    *regexp.Regexp
}{
	{"CSAM", regexp.MustCompile(`(?i)child porn|child abuse material|sexual.{0,30}\b(minor|child)|(minor|child)\w*.{0,30}sexual|pedophil|grooming children`)},
	{"BIOTERROR", regexp.MustCompile(`(?i)bioterror|biological (weapon|attack|agent)|deadly (virus|disease)|bioweapon|\bpathogen\b|anthrax|ricin`)},
	{"CBRN", regexp.MustCompile(`(?i)chemical weapon|nerve (gas|agent)|nuclear (weapon|bomb)|dirty bomb|radioactive|poison(ous)? gas|toxic gas`)},
	{"CYBER_ATTACK", regexp.MustCompile(`(?i)\bhack|malware|ransomware|keylog|phish|\bvirus(es)?\b|trojan|botnet|ddos|denial.of.service|sql injection|exploit.{0,40}(vulnerab|software|system|network)|(steal|crack).{0,30}(password|credential)|backdoor|unauthorized access|firewall|cyber ?attack`)},
	{"WEAPONS", regexp.MustCompile(`(?i)\bbombs?\b|explosive|firearm|\bguns?\b|\bweapon|grenade|silencer|ammunition`)},
}

// prepare labels, cleans and thins the rows of the data sets.
func prepare(rows []row) []row {
	seen := make(map[string]bool)
	kept := rows[:0]
	for _, r := range rows {
		if r.Category == "UNLABELLED_HARM" {
			if r.Role != "prompt" {
				continue
			}
			i := slices.IndexFunc(relabel, func(l struct {
				category string
				words    *regexp.Regexp
			}) bool {
				return l.words.MatchString(r.Text)
			})
			if i < 0 {
				continue
			}
			r.Category = relabel[i].category
		}
		r.Text = strings.TrimSpace(strings.Replace(r.Text, interpreterPrefix, "", 1))
		if key := strings.ToLower(r.Text); r.Text == "" || seen[key] {
			continue
		} else {
			seen[key] = true
		}
		kept = append(kept, r)
	}
	return kept
}
