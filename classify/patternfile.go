package classify

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Pattern is one line of a pattern file.
type Pattern struct {
	Text       string
	Confidence float64
	File       string
	Line       int
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

// ParsePatterns reads a pattern file: one literal phrase a line, "#" at the
// start of a line or behind white space starts a comment, blank lines are
// skipped. Case, white space and the like do not matter, see folder. Lines that
// start with one of @ { } [ ] : & | ! % $ are kept for rules and refused.
func ParsePatterns(file string, data []byte) ([]Pattern, error) {
	var patterns []Pattern
	seen := make(map[string]int)
	number := 0
	for line := range bytes.Lines(data) {
		number++
		fail := func(column int, format string, args ...any) error {
			return &SyntaxError{file, number, column, fmt.Sprintf(format, args...)}
		}
		if !utf8.Valid(line) {
			return nil, fail(1, "not valid UTF-8: save the file as UTF-8")
		}
		text := uncomment(string(line))
		column := 1 + len(text) - len(strings.TrimLeftFunc(text, unicode.IsSpace))
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		if i := strings.IndexFunc(text, unicode.IsControl); i >= 0 {
			return nil, fail(column+i, "control character in a phrase: remove it")
		}
		if strings.ContainsAny(text[:1], "@{}[]:&|!%$") {
			return nil, fail(column, "%q at the start of a line is reserved for rules: a phrase starts with a letter or digit", text[:1])
		}
		if len(text) > maxPattern {
			return nil, fail(column, "phrase of %d bytes: at most %d are allowed", len(text), maxPattern)
		}
		folded := strings.TrimSpace(string(fold(text)))
		if n := weight(folded); n < minPattern {
			return nil, fail(column, "phrase of %d characters when normalised: at least %d are needed, or it matches everywhere", n, minPattern)
		}
		if first, ok := seen[folded]; ok {
			return nil, fail(column, "same phrase as in line %d: remove one", first)
		}
		seen[folded] = number
		patterns = append(patterns, Pattern{Text: text, Confidence: LiteralConfidence, File: file, Line: number})
	}
	if len(patterns) == 0 {
		return nil, &SyntaxError{file, max(number, 1), 1, "no phrase in the file: add one or remove the classifier"}
	}
	return patterns, nil
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
