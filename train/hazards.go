package main

import (
	"hash/fnv"
	"io"
	"regexp"
	"strings"
)

// folds is into how many parts the rows are split: each is scored by models that
// never saw it.
const folds = 3

// split puts each row into a part of the cross-validation: those of the data sets
// by hazard, since one hazard comes in many templates; generated ones by template,
// natural ones by document.
func split(rows []row) {
	clusters := hazards(rows)
	for i := range rows {
		key := clusters[i]
		if rows[i].generated() || rows[i].natural() {
			key = rows[i].Group
		}
		h := fnv.New64a()
		_, _ = io.WriteString(h, key) // a hash takes every write
		rows[i].fold = int(h.Sum64() >> 20 % folds)
	}
}

var contentWord = regexp.MustCompile(`[a-z]{3,}`)

// frequent words say nothing of a hazard.
var frequent = func() map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(`the and for are was with that this how can you what which who where why when does did from they have has had not but
		give tell show explain describe list provide write create make generate please help need want would could should someone people best way ways get about into your their them any some all there will
		step steps guide instructions detailed instruction method methods using use used without being also ideas tips information`) {
		m[w] = true
	}
	return m
}()

// hazards names for each harmful row of the data sets a cluster of rows with
// nearly the same content words (Jaccard at least 0.67), and for each other row
// itself.
func hazards(rows []row) []string {
	type member struct {
		words map[string]bool
		name  string
	}
	byWord := make(map[string][]*member)
	names := make([]string, len(rows))
	for i := range rows {
		r := &rows[i]
		names[i] = r.Source + r.Text
		if !r.harmful() && r.Category != "OTHER_HARM" || r.generated() || r.natural() {
			continue
		}
		words := make(map[string]bool)
		text := strings.ToLower(r.Text)
		for _, w := range contentWord.FindAllString(text[:min(len(text), 600)], -1) {
			if !frequent[w] {
				words[strings.TrimSuffix(w, "s")] = true
			}
		}
		shared := make(map[*member]int)
		var found *member
		best := 0.0
		for w := range words {
			for _, m := range byWord[w] {
				shared[m]++
			}
		}
		for m, n := range shared {
			j := float64(n) / float64(len(words)+len(m.words)-n)
			if j >= 0.67 && (j > best || j == best && (found == nil || m.name < found.name)) {
				best, found = j, m
			}
		}
		m := &member{words, names[i]}
		if found != nil {
			m.name = found.name
		}
		for w := range words {
			byWord[w] = append(byWord[w], m)
		}
		names[i] = m.name
	}
	return names
}
