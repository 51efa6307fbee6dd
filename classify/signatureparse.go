package classify

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// fileParser reads the lines of one pattern file.
type fileParser struct {
	patterns []Pattern
	seen     map[string]int // phrases, by their line
	sets     map[string]*set
	order    []*set         // as they are written
	rules    map[string]int // by their line
	drafts   []*draft
	set      *set   // that is open
	draft    *draft // that is open
}

// set is a named list of literals.
type set struct {
	at       sourceLine
	name     string
	literals []literal
	includes []setName
	seen     map[string]int
	used     bool
	visiting bool
}

// setName is a set's name where it is used.
type setName struct {
	at     sourceLine
	offset int
	name   string
}

// draft is a rule whose sets have not been looked up: they may follow it.
type draft struct {
	at      sourceLine
	pattern int // index in patterns
	groups  [][]setName
	unless  []setName
	weights []setName
	given   map[string]int // keywords that stand once, by their line
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,47}$`)

// line reads a line: a directive, what is in an open block, or a phrase.
func (p *fileParser) line(l sourceLine) error {
	if strings.HasPrefix(l.text, "@") {
		return p.directive(l)
	}
	switch {
	case p.set != nil:
		return p.set.line(l)
	case p.draft != nil:
		return p.ruleLine(l)
	}
	return p.phrase(l)
}

func (p *fileParser) directive(l sourceLine) error {
	word, name, offset := cutWord(l.text)
	switch word {
	case "@set", "@rule":
	case "@end":
		if p.set == nil && p.draft == nil {
			return l.fail(0, "@end without @set or @rule before it: remove it")
		}
		if name != "" {
			return l.fail(offset, "@end stands alone: remove what follows it")
		}
		return p.end(l)
	default:
		return l.fail(0, "unknown directive %q: want @set NAME, @rule NAME or @end; a phrase starts with a letter or digit", word)
	}
	if err := p.open(l); err != nil {
		return err
	}
	if !nameForm.MatchString(name) {
		return l.fail(offset, "%s %q: want a name of 1 to 48 lower-case letters, digits, - and _", word, name)
	}
	if word == "@set" {
		if s := p.sets[name]; s != nil {
			return l.fail(offset, "set {%s} is in line %d already: give it another name or join them", name, s.at.number)
		}
		p.set = &set{at: l, name: name, seen: make(map[string]int)}
		p.sets[name] = p.set
		p.order = append(p.order, p.set)
		return nil
	}
	if first, ok := p.rules[name]; ok {
		return l.fail(offset, "rule %s is in line %d already: give it another name", name, first)
	}
	if len(p.drafts) == maxRules {
		return l.fail(0, "more than %d rules in a file: join some", maxRules)
	}
	p.rules[name] = l.number
	p.patterns = append(p.patterns, Pattern{
		Text: name, File: l.file, Line: l.number,
		Signature: &Signature{Near: defaultNear, input: true, output: true},
	})
	p.draft = &draft{at: l, pattern: len(p.patterns) - 1, given: make(map[string]int)}
	p.drafts = append(p.drafts, p.draft)
	return nil
}

// open reports a block that goes on where another begins or the file ends.
func (p *fileParser) open(l sourceLine) error {
	switch {
	case p.set != nil:
		return l.fail(0, "@set %s of line %d is still open: end it with @end", p.set.name, p.set.at.number)
	case p.draft != nil:
		return l.fail(0, "@rule %s of line %d is still open: end it with @end", p.patterns[p.draft.pattern].Text, p.draft.at.number)
	}
	return nil
}

func (p *fileParser) end(l sourceLine) error {
	if s := p.set; s != nil {
		if len(s.literals)+len(s.includes) == 0 {
			return s.at.fail(0, "set {%s} is empty: add a literal or remove it", s.name)
		}
		p.set = nil
		return nil
	}
	d := p.draft
	p.draft = nil
	return p.complete(d, l)
}

// finish looks up the sets of all rules.
func (p *fileParser) finish() error {
	switch {
	case p.set != nil:
		return p.open(p.set.at)
	case p.draft != nil:
		return p.open(p.draft.at)
	}
	for _, d := range p.drafts {
		if err := p.resolve(d); err != nil {
			return err
		}
	}
	for _, s := range p.order {
		if !s.used {
			return s.at.fail(0, "no rule uses set {%s}: use it or remove it", s.name)
		}
	}
	return nil
}

// line reads literals and names of other sets, with commas between them.
func (s *set) line(l sourceLine) error {
	offset := 0
	for item := range strings.SplitSeq(l.text, ",") {
		text := strings.TrimSpace(item)
		at := offset + strings.Index(item, text)
		offset += len(item) + 1
		var err error
		switch {
		case text == "":
			err = l.fail(at, "nothing between commas: remove one")
		case text[0] == '{':
			var refs []setName
			refs, err = references(l, at, text)
			s.includes = append(s.includes, refs...)
		case strings.ContainsAny(text[:1], reserved):
			err = l.fail(at, "%q at the start of a literal is reserved: a literal starts with a letter or digit", text[:1])
		default:
			err = s.add(l, at, text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// add takes a literal into the set.
func (s *set) add(l sourceLine, offset int, text string) error {
	word, stem := strings.CutSuffix(text, "*")
	if i := strings.IndexByte(word, '*'); i >= 0 {
		return l.fail(offset+i, "* within a literal: it may only end one, as in weaponi*")
	}
	folded, err := foldLiteral(l, offset, word, "literal")
	if err != nil {
		return err
	}
	if stem && strings.HasSuffix(word, " ") {
		return l.fail(offset, "* behind a space: put it behind the first letters of a word")
	}
	key := folded
	if stem {
		key += "*"
	}
	if first, ok := s.seen[key]; ok {
		return l.fail(offset, "same literal as in line %d: remove one", first)
	}
	s.seen[key] = l.number
	s.literals = append(s.literals, literal{text: folded, stem: stem})
	return nil
}

// references reads names in braces, with white space between them.
func references(l sourceLine, offset int, text string) (refs []setName, err error) {
	for text != "" {
		name, rest, closed := strings.Cut(strings.TrimPrefix(text, "{"), "}")
		if text[0] != '{' || !closed || !nameForm.MatchString(name) {
			return nil, l.fail(offset, "%q: want names of sets in braces, as in {place}", strings.Fields(text)[0])
		}
		refs = append(refs, setName{l, offset, name})
		trimmed := strings.TrimLeft(rest, " \t")
		offset += len(text) - len(trimmed)
		text = trimmed
	}
	return refs, nil
}

// cutWord splits a line behind its first word and says where the rest starts.
func cutWord(text string) (word, rest string, offset int) {
	i := strings.IndexAny(text, " \t")
	if i < 0 {
		return text, "", len(text)
	}
	rest = strings.TrimLeft(text[i:], " \t")
	return text[:i], rest, len(text) - len(rest)
}

// number reads a number that stands alone.
func number(l sourceLine, offset int, text, what string, least, most float64) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if inside := n >= least && n <= most; err != nil || !inside || strings.ContainsAny(text, "xXpP_") {
		return 0, l.fail(offset, "%s %q: want a number from %v to %v", what, text, least, most)
	}
	return n, nil
}

// literalsOf collects the literals of a set and of those in it.
func (p *fileParser) literalsOf(r setName, as string, dst []literal) ([]literal, error) {
	s := p.sets[r.name]
	if s == nil {
		return nil, r.at.fail(r.offset, "no set {%s} in this file: add it or correct its spelling", r.name)
	}
	if s.visiting {
		return nil, r.at.fail(r.offset, "set {%s} contains itself: remove it here", r.name)
	}
	s.used, s.visiting = true, true
	defer func() { s.visiting = false }()
	for _, lit := range s.literals {
		lit.set = as
		if !slices.ContainsFunc(dst, lit.same) {
			dst = append(dst, lit)
		}
	}
	for _, in := range s.includes {
		var err error
		if dst, err = p.literalsOf(in, as, dst); err != nil {
			return nil, err
		}
	}
	if len(dst) > maxSetSize {
		return nil, r.at.fail(r.offset, "more than %d literals in a group: split it", maxSetSize)
	}
	return dst, nil
}

func (l literal) same(m literal) bool { return l.text == m.text && l.stem == m.stem }
