package main

import (
	"hash/fnv"
	"io"
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"
)

// expander makes rows of templates. Each template has random numbers of its own,
// so that another template elsewhere changes nothing about its rows.
type expander struct {
	files   []*phraseFile
	frames  map[string][]expandable // by language
	fillers map[string][]expandable
	// factor multiplies the number of rows of a template.
	factor float64
}

type expandable struct {
	file *phraseFile
	template
}

func newExpander(files []*phraseFile) *expander {
	e := &expander{files: files, frames: make(map[string][]expandable), fillers: make(map[string][]expandable), factor: 1}
	for _, f := range files {
		for _, s := range f.sections {
			for _, t := range s.templates {
				switch s.kind {
				case frame:
					e.frames[f.lang] = append(e.frames[f.lang], expandable{f, t})
				case filler:
					e.fillers[f.lang] = append(e.fillers[f.lang], expandable{f, t})
				case prompt, completion:
				}
			}
		}
	}
	return e
}

func seed(parts ...string) *rand.Rand {
	h := fnv.New128a()
	for _, p := range parts {
		_, _ = io.WriteString(h, p) // a hash takes every write
		_, _ = h.Write([]byte{0})
	}
	sum := h.Sum(nil)
	n := func(b []byte) (x uint64) {
		for _, c := range b {
			x = x<<8 | uint64(c)
		}
		return x
	}
	return rand.New(rand.NewPCG(n(sum[:8]), n(sum[8:]))) //nolint:gosec // the same rows each time are the point
}

// rows makes the rows of all templates.
func (e *expander) rows() []row {
	var rows []row
	for _, f := range e.files {
		for _, s := range f.sections {
			for _, t := range s.templates {
				switch s.kind {
				case prompt, completion:
					rows = append(rows, e.template(f, s, t)...)
				case filler:
					rows = append(rows, e.filler(f, t)...)
				case frame:
				}
			}
		}
	}
	return rows
}

// times is how many rows are made of a template of a kind.
func (e *expander) times(f *phraseFile, s section) int {
	n := 6.0
	if f.lang == "en" {
		n = 8
	}
	if s.category != "BENIGN" && s.category != "OTHER_HARM" {
		n *= 1.5
	}
	return max(1, int(n*e.factor))
}

func (e *expander) template(f *phraseFile, s section, t template) []row {
	rng := seed(f.name, s.category, t.source)
	group := "phrases/" + f.name + "/" + t.source
	seen := make(map[string]bool)
	var rows []row
	for range e.times(f, s) {
		text := f.expand(rng, t.nodes, "")
		if seen[text] {
			continue
		}
		seen[text] = true
		style := rng.Float64()
		request := text
		if s.kind == prompt {
			switch {
			case style < 0.25:
				text = e.framed(rng, f.lang, text)
			case style < 0.40:
				text = e.hidden(rng, f.lang, text, 1)
			case style < 0.43:
				text = e.hidden(rng, f.lang, text, 1+rng.IntN(8))
			}
		} else if style < 0.15 {
			text = e.hidden(rng, f.lang, text, 1)
		}
		var core [2]int
		if i := strings.Index(text, request); i >= 0 && len(text) > len(request) {
			core = [2]int{i, i + len(request)}
		}
		if core == [2]int{} && rng.Float64() < 0.12 {
			text = typos(rng, text)
		}
		rows = append(rows, row{
			core: core,
			Text: text, Category: s.category, Role: string(s.kind), Lang: f.lang,
			Source: "phrases-" + f.lang, Group: group, weight: 0.7,
		})
	}
	return rows
}

func (e *expander) filler(f *phraseFile, t template) []row {
	rng := seed(f.name, "filler", t.source)
	var rows []row
	for range 2 {
		text := f.expand(rng, t.nodes, "")
		if rng.Float64() < 0.5 {
			text = e.hidden(rng, f.lang, text, 1+rng.IntN(6))
		}
		rows = append(rows, row{
			Text: text, Category: "BENIGN", Role: "prompt", Lang: f.lang,
			Source: "phrases-" + f.lang, Group: "phrases/" + f.name + "/" + t.source, weight: 0.7,
		})
	}
	return rows
}

// expand writes out a template; hole stands for {}.
func (f *phraseFile) expand(rng *rand.Rand, nodes []node, hole string) string {
	var b strings.Builder
	for _, n := range nodes {
		switch {
		case n.hole:
			b.WriteString(hole)
		case n.list != "":
			entries := f.lists[n.list]
			b.WriteString(f.expand(rng, entries[rng.IntN(len(entries))].nodes, hole))
		case n.choices != nil:
			b.WriteString(f.expand(rng, n.choices[rng.IntN(len(n.choices))], hole))
		default:
			b.WriteString(n.text)
		}
	}
	return b.String()
}

func (e *expander) framed(rng *rand.Rand, lang, text string) string {
	frames := e.frames[lang]
	if len(frames) == 0 {
		return text
	}
	f := frames[rng.IntN(len(frames))]
	return f.file.expand(rng, f.nodes, text)
}

// hidden puts the text between paragraphs of benign text.
func (e *expander) hidden(rng *rand.Rand, lang, text string, paragraphs int) string {
	fillers := e.fillers[lang]
	if len(fillers) == 0 {
		return text
	}
	var b strings.Builder
	at := rng.IntN(paragraphs + 1)
	sep := " "
	if rng.IntN(2) == 0 {
		sep = "\n\n"
	}
	for i := range paragraphs + 1 {
		if i == at {
			b.WriteString(text)
			b.WriteString(sep)
		}
		if i < paragraphs {
			f := fillers[rng.IntN(len(fillers))]
			b.WriteString(f.file.expand(rng, f.nodes, ""))
			b.WriteString(sep)
		}
	}
	return strings.TrimSpace(b.String())
}

// typos swaps, drops or doubles a letter here and there.
func typos(rng *rand.Rand, text string) string {
	runes := []rune(text)
	out := make([]rune, 0, len(runes))
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		if !unicode.IsLetter(r) || r > 0x24f || utf8.RuneLen(r) > 2 || rng.Float64() > 0.03 {
			out = append(out, r)
			continue
		}
		switch rng.IntN(3) {
		case 0: // dropped
		case 1:
			out = append(out, r, r)
		default:
			if i+1 < len(runes) {
				out = append(out, runes[i+1], r)
				i++
			}
		}
	}
	return string(out)
}
