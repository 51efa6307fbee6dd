package main

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A phraseFile holds templates of rows and the lists that they draw from. Its
// form is described in phrases/README.md.
type phraseFile struct {
	lang, name string
	lists      map[string][]template
	sections   []section
}

// section is the templates of one kind.
type section struct {
	kind      kind
	category  string // of a prompt or completion
	templates []template
}

type kind string

const (
	prompt     kind = "prompt"
	completion kind = "completion"
	frame      kind = "frame"  // around a request of any category
	filler     kind = "filler" // benign text in which a request is hidden
)

// template is a parsed line.
type template struct {
	source string
	nodes  []node
}

// node is a piece of a template: one of its fields is set.
type node struct {
	text    string
	list    string
	choices [][]node
	hole    bool
}

var (
	listName   = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	categories = []string{"BIOTERROR", "CBRN", "CSAM", "CYBER_ATTACK", "WEAPONS"}
	outside    = []string{"OTHER_HARM", "BENIGN"}
)

// readPhrases reads all files of a directory of languages.
func readPhrases(fsys fs.FS) ([]*phraseFile, error) {
	names, err := fs.Glob(fsys, "*/*.txt")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var files []*phraseFile
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		f, err := parsePhrases(name, string(data))
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func parsePhrases(name, data string) (*phraseFile, error) {
	f := &phraseFile{lang: path.Dir(name), name: name, lists: make(map[string][]template)}
	var list string
	var current *section
	for i, line := range strings.Split(data, "\n") {
		fail := func(format string, args ...any) error {
			return fmt.Errorf("%s:%d: %s", name, i+1, fmt.Sprintf(format, args...))
		}
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
			continue
		case strings.HasPrefix(line, "=="):
			words := strings.Fields(line[2:])
			list, current = "", nil
			switch {
			case len(words) == 2 && words[0] == "list" && listName.MatchString(words[1]):
				list = words[1]
			case len(words) == 2 && (words[0] == string(prompt) || words[0] == string(completion)) &&
				(slices.Contains(categories, words[1]) || slices.Contains(outside, words[1])):
				f.sections = append(f.sections, section{kind: kind(words[0]), category: words[1]})
			case len(words) == 1 && (words[0] == string(frame) || words[0] == string(filler)):
				f.sections = append(f.sections, section{kind: kind(words[0])})
			default:
				return nil, fail("unknown section")
			}
			if list == "" {
				current = &f.sections[len(f.sections)-1]
			}
			continue
		}
		p := templateParser{text: line}
		nodes, err := p.sequence("")
		if err != nil {
			return nil, fail("%v", err)
		}
		t := template{line, nodes}
		switch {
		case list != "":
			f.lists[list] = append(f.lists[list], t)
		case current != nil:
			current.templates = append(current.templates, t)
		default:
			return nil, fail("a line before any section")
		}
	}
	for _, s := range f.sections {
		for _, t := range s.templates {
			if err := f.resolve(t.nodes, 0); err != nil {
				return nil, fmt.Errorf("%s: %q: %w", name, t.source, err)
			}
		}
	}
	return f, nil
}

// maxDepth bounds how deep lists may draw from lists.
const maxDepth = 6

func (f *phraseFile) resolve(nodes []node, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("lists draw from lists more than %d deep", maxDepth)
	}
	for _, n := range nodes {
		for _, c := range n.choices {
			if err := f.resolve(c, depth); err != nil {
				return err
			}
		}
		if n.list == "" {
			continue
		}
		entries := f.lists[n.list]
		if len(entries) == 0 {
			return fmt.Errorf("no list %s", n.list)
		}
		for _, e := range entries {
			if err := f.resolve(e.nodes, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

type templateParser struct {
	text string
	pos  int
}

// sequence parses up to one of the bytes of stop, which it leaves.
func (p *templateParser) sequence(stop string) ([]node, error) {
	var nodes []node
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			nodes = append(nodes, node{text: text.String()})
			text.Reset()
		}
	}
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		if strings.IndexByte(stop, c) >= 0 {
			break
		}
		p.pos++
		switch c {
		case '\\':
			if p.pos == len(p.text) {
				return nil, fmt.Errorf(`\ at the end`)
			}
			if e := p.text[p.pos]; e == 'n' {
				text.WriteByte('\n')
			} else {
				text.WriteByte(e)
			}
			p.pos++
		case '{':
			flush()
			n, err := p.choice()
			if err != nil {
				return nil, err
			}
			nodes = append(nodes, n)
		case '[':
			flush()
			inner, err := p.sequence("]")
			if err != nil {
				return nil, err
			}
			if p.pos == len(p.text) {
				return nil, fmt.Errorf("[ without ]")
			}
			p.pos++
			nodes = append(nodes, node{choices: [][]node{nil, inner}})
		case ']', '}':
			return nil, fmt.Errorf("%q without its opening", c)
		default:
			text.WriteByte(c)
		}
	}
	flush()
	return nodes, nil
}

// choice parses what stands between braces.
func (p *templateParser) choice() (node, error) {
	var choices [][]node
	for {
		c, err := p.sequence("|}")
		if err != nil {
			return node{}, err
		}
		choices = append(choices, c)
		if p.pos == len(p.text) {
			return node{}, fmt.Errorf("{ without }")
		}
		p.pos++
		if p.text[p.pos-1] == '}' {
			break
		}
	}
	if len(choices) > 1 {
		return node{choices: choices}, nil
	}
	switch c := choices[0]; {
	case len(c) == 0:
		return node{hole: true}, nil
	case len(c) == 1 && listName.MatchString(c[0].text):
		return node{list: c[0].text}, nil
	}
	return node{}, fmt.Errorf("{...} with one alternative is the name of a list")
}
