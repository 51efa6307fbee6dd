package classify

import (
	"bytes"
	"errors"
	"slices"
	"sort"
	"unicode"
	"unicode/utf8"

	"github.com/cloudflare/ahocorasick"

	"github.com/difflabai/confidential-safety/verdict"
)

// Rule is a pattern with what it stands for.
type Rule struct {
	Pattern
	Category     verdict.Category
	ClassifierID string
}

// Patterns is the pattern classifier, over the patterns of all categories at
// once: one pass over the text costs a fraction of one for each category.
//
// It works in two stages. The first finds the beginnings of patterns, up to
// maxPrefix bytes each, with an Aho-Corasick automaton; almost all text ends
// there, and most of it before, at the heads of beginnings. The second follows each
// beginning that was found, byte by byte, through the sorted list of the patterns
// that start so.
type Patterns struct {
	phrases  []phrase // sorted by text, distinct
	prefixes []prefix // sorted by text; none is the beginning of another
	matcher  *ahocorasick.Matcher
	starts   [256]bool // bytes with which a prefix starts
	heads    heads
	longest  int // of the phrases, in normalised bytes
}

// phrase is a normalised pattern and the findings that it stands for.
type phrase struct {
	text     []byte
	findings []verdict.Finding
}

// prefix is a beginning of phrases, those from lo up to hi.
type prefix struct {
	text   []byte
	lo, hi int
}

// maxPrefix bounds the automaton, which takes about 4 KiB for each byte of a
// distinct beginning.
const maxPrefix = 12

// NewPatterns compiles rules. It takes about 4 KiB of memory for each byte of a
// distinct beginning of up to 12 bytes.
func NewPatterns(rules []Rule) (*Patterns, error) {
	if len(rules) == 0 {
		return nil, errors.New("no patterns to classify by")
	}
	p := &Patterns{}
	index := make(map[string]int)
	for _, r := range rules {
		text := bytes.TrimSpace(fold(r.Text))
		if len(text) == 0 {
			return nil, &SyntaxError{r.File, r.Line, 1, "phrase is empty when normalised"}
		}
		i, ok := index[string(text)]
		if !ok {
			i = len(p.phrases)
			index[string(text)] = i
			p.phrases = append(p.phrases, phrase{text: text})
			p.longest = max(p.longest, len(text))
		}
		p.phrases[i].findings = append(p.phrases[i].findings, verdict.Finding{
			Category: r.Category, Confidence: r.Confidence, ClassifierID: r.ClassifierID,
		})
	}
	slices.SortFunc(p.phrases, func(a, b phrase) int { return bytes.Compare(a.text, b.text) })
	p.beginnings()
	dictionary := make([][]byte, len(p.prefixes))
	for i, pre := range p.prefixes {
		dictionary[i] = pre.text
		p.starts[pre.text[0]] = true
	}
	p.heads = newHeads(p.prefixes)
	p.matcher = ahocorasick.NewMatcher(dictionary)
	return p, nil
}

// beginnings collects the shortest set of beginnings that every phrase starts
// with one of.
func (p *Patterns) beginnings() {
	for i := 0; i < len(p.phrases); {
		text := p.phrases[i].text
		text = text[:min(len(text), maxPrefix)]
		hi := i + 1
		for hi < len(p.phrases) && bytes.HasPrefix(p.phrases[hi].text, text) {
			hi++
		}
		p.prefixes = append(p.prefixes, prefix{text, i, hi})
		i = hi
	}
}

// NewScanner implements Classifier.
func (p *Patterns) NewScanner(verdict.Stage) Scanner { return &patternScanner{p: p} }

// beginsPrefix reports whether text is the beginning of a prefix.
func (p *Patterns) beginsPrefix(text []byte) bool {
	if !p.starts[text[0]] {
		return false
	}
	i := sort.Search(len(p.prefixes), func(i int) bool { return bytes.Compare(p.prefixes[i].text, text) >= 0 })
	return i < len(p.prefixes) && bytes.HasPrefix(p.prefixes[i].text, text)
}

// narrow returns which of the phrases from lo up to hi, which agree in their
// first n bytes, have c as the next. None of them may end there.
func (p *Patterns) narrow(lo, hi, n int, c byte) (int, int) {
	lo += sort.Search(hi-lo, func(i int) bool { return p.phrases[lo+i].text[n] >= c })
	if c == 0xff {
		return lo, hi
	}
	return lo, lo + sort.Search(hi-lo, func(i int) bool { return p.phrases[lo+i].text[n] > c })
}

// within reports whether a and b, side by side, are inside one word, where a
// match can neither start nor end.
func within(a, b rune) bool {
	return wordRune(a) && wordRune(b) && !spaceless(a) && !spaceless(b)
}

func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// spaceless reports whether r is of a script that writes without spaces between
// words, or, as Korean does, glues particles to them. Decomposed Hangul counts.
func spaceless(r rune) bool {
	return r >= 0xe00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana,
		unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
