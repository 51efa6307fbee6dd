package classify

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Pattern is what a pattern file asks to look for: a phrase, which is one line,
// or a rule, which is a block of them.
type Pattern struct {
	Text       string // the phrase, or the rule's name
	Confidence float64
	File       string
	Line       int
	Signature  *Signature // nil if it is a phrase
}

// LiteralConfidence is what a phrase is worth by itself: above every default
// threshold, and below every threshold of disclosure, for which a keyword is
// no reason.
const LiteralConfidence = 0.95

// Limits of a pattern file: a phrase's length in bytes, and in characters.
const (
	maxPattern = 1024
	minPattern = 3
)

// SyntaxError says what is wrong with a line of a pattern file.
type SyntaxError struct {
	File         string
	Line, Column int // from 1; Column counts bytes
	Msg          string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg)
}

// sourceLine is a line without its comment and the white space around it.
type sourceLine struct {
	file           string
	number, column int
	text           string
}

// fail makes an error about the text from an offset in the line on.
func (l sourceLine) fail(offset int, format string, args ...any) error {
	return &SyntaxError{l.file, l.number, l.column + offset, fmt.Sprintf(format, args...)}
}

// ParsePatterns reads a pattern file: one literal phrase a line, and blocks from
// @set or @rule to @end, see [Signature]. "#" at the start of a line or behind
// white space starts a comment, blank lines are skipped. Case, white space and
// the like do not matter, see folder.
func ParsePatterns(file string, data []byte) ([]Pattern, error) {
	p := fileParser{seen: make(map[string]int), sets: make(map[string]*set), rules: make(map[string]int)}
	line := sourceLine{file: file, column: 1}
	for raw := range bytes.Lines(data) {
		line.number++
		if !utf8.Valid(raw) {
			return nil, (&sourceLine{file: file, number: line.number, column: 1}).fail(0, "not valid UTF-8: save the file as UTF-8")
		}
		text := uncomment(string(raw))
		line.column = 1 + len(text) - len(strings.TrimLeftFunc(text, unicode.IsSpace))
		if line.text = strings.TrimSpace(text); line.text == "" {
			continue
		}
		if i := strings.IndexFunc(line.text, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }); i >= 0 {
			return nil, line.fail(i, "control character in a phrase: remove it")
		}
		if err := p.line(line); err != nil {
			return nil, err
		}
	}
	if err := p.finish(); err != nil {
		return nil, err
	}
	if len(p.patterns) == 0 {
		return nil, &SyntaxError{file, max(line.number, 1), 1, "no phrase or rule in the file: add one or remove the classifier"}
	}
	return p.patterns, nil
}

// phrase reads a line that is a phrase by itself.
func (p *fileParser) phrase(l sourceLine) error {
	if strings.ContainsAny(l.text[:1], reserved) {
		return l.fail(0, "%q at the start of a line is reserved for rules: a phrase starts with a letter or digit", l.text[:1])
	}
	folded, err := foldLiteral(l, 0, l.text, "phrase")
	if err != nil {
		return err
	}
	if first, ok := p.seen[folded]; ok {
		return l.fail(0, "same phrase as in line %d: remove one", first)
	}
	p.seen[folded] = l.number
	p.patterns = append(p.patterns, Pattern{Text: l.text, Confidence: LiteralConfidence, File: l.file, Line: l.number})
	return nil
}

// reserved starts no phrase: it is kept for the language of rules.
const reserved = "@{}[]:&|!%$"

// foldLiteral returns the normalised form of a literal that is written at an
// offset in a line, if its length is right.
func foldLiteral(l sourceLine, offset int, text, kind string) (string, error) {
	if strings.ContainsRune(text, '\t') {
		return "", l.fail(offset+strings.IndexByte(text, '\t'), "control character in a %s: remove it", kind)
	}
	if len(text) > maxPattern {
		return "", l.fail(offset, "%s of %d bytes: at most %d are allowed", kind, len(text), maxPattern)
	}
	folded := strings.TrimSpace(string(fold(text)))
	if n := weight(folded); n < minPattern || len(folded) < maxHead {
		return "", l.fail(offset, "%s of %d characters when normalised: at least %d are needed, or it matches everywhere", kind, n, minPattern)
	}
	return folded, nil
}

// weight counts characters, those of scripts that write a word with one or two
// of them for two.
func weight(s string) (n int) {
	for _, r := range s {
		n++
		if spaceless(r) {
			n++
		}
	}
	return n
}

func uncomment(line string) string {
	for i := range len(line) {
		if line[i] == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			return line[:i]
		}
	}
	return line
}
