package classify

import (
	"bytes"
	"errors"
	"fmt"
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

// ID returns what findings of the rule are named by: the classifier and, for a
// rule with a name, that.
func (r *Rule) ID() string {
	if r.Signature == nil {
		return r.ClassifierID
	}
	return r.ClassifierID + "#" + r.Text
}

// Patterns is the pattern classifier, over the patterns of all categories at
// once: one pass over the text costs a fraction of one for each category.
//
// It works in two stages. The first finds the beginnings of patterns, up to
// maxPrefix bytes each, with an Aho-Corasick automaton; almost all text ends
// there, and most of it before, at the heads of beginnings. The second follows each
// beginning that was found, byte by byte, through the sorted list of the patterns
// that start so. The literals of rules are found with the phrases, and a
// ruleScanner sees which of them meet.
type Patterns struct {
	phrases  []phrase // sorted by text, distinct
	prefixes []prefix // sorted by text; none is the beginning of another
	matcher  *ahocorasick.Matcher
	starts   [256]bool // bytes with which a prefix starts
	heads    heads
	longest  int // of the phrases, in normalised bytes
	sigs     *signatures
}

// phrase is a normalised text, the findings that it stands for, and the numbers
// of the literals of rules that it is, as a word or as the stem of one; -1 if it
// is none.
type phrase struct {
	text        []byte
	findings    []verdict.Finding
	whole, stem int32
}

// prefix is a beginning of phrases, those from lo up to hi.
type prefix struct {
	text   []byte
	lo, hi int
}

// The automaton takes about 4 KiB for each byte of a distinct beginning, so these
// bound it to some 65 MiB: beginnings are as short as that needs.
const (
	maxPrefix      = 12
	maxPrefixBytes = 15 << 10 // of all beginnings together
)

// NewPatterns compiles rules.
func NewPatterns(rules []Rule) (*Patterns, error) {
	if len(rules) == 0 {
		return nil, errors.New("no patterns to classify by")
	}
	p := &Patterns{sigs: newSignatures()}
	index := make(map[string]int)
	find := func(text []byte) *phrase {
		i, ok := index[string(text)]
		if !ok {
			i = len(p.phrases)
			index[string(text)] = i
			p.phrases = append(p.phrases, phrase{text: text, whole: -1, stem: -1})
			p.longest = max(p.longest, len(text))
		}
		return &p.phrases[i]
	}
	for i := range rules {
		r := &rules[i]
		if r.Signature != nil {
			if err := p.sigs.add(r); err != nil {
				return nil, err
			}
			continue
		}
		text := bytes.TrimSpace(fold(r.Text))
		if len(text) == 0 {
			return nil, &SyntaxError{r.File, r.Line, 1, "phrase is empty when normalised"}
		}
		ph := find(text)
		ph.findings = append(ph.findings, verdict.Finding{
			Category: r.Category, Confidence: r.Confidence, ClassifierID: r.ClassifierID,
		})
	}
	for id, lit := range p.sigs.literals() {
		ph := find([]byte(lit.text))
		if lit.stem {
			ph.stem = int32(id)
		} else {
			ph.whole = int32(id)
		}
	}
	if n := len(p.phrases); n > maxLiterals {
		return nil, fmt.Errorf("the pattern files hold %d phrases and literals: at most %d are allowed", n, maxLiterals)
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
// with one of, as long as the automaton may become.
func (p *Patterns) beginnings() {
	for length := maxPrefix; length > 0; length-- {
		if p.beginningsOf(length); p.prefixBytes() <= maxPrefixBytes {
			return
		}
	}
}

func (p *Patterns) prefixBytes() (n int) {
	for _, pre := range p.prefixes {
		n += len(pre.text)
	}
	return n
}

// beginningsOf collects beginnings of up to some bytes.
func (p *Patterns) beginningsOf(length int) {
	p.prefixes = p.prefixes[:0]
	for i := 0; i < len(p.phrases); {
		text := p.phrases[i].text
		text = text[:min(len(text), length)]
		hi := i + 1
		for hi < len(p.phrases) && bytes.HasPrefix(p.phrases[hi].text, text) {
			hi++
		}
		p.prefixes = append(p.prefixes, prefix{text, i, hi})
		i = hi
	}
}

// NewScanner implements Classifier.
func (p *Patterns) NewScanner(stage verdict.Stage) Scanner {
	words := patternScanner{p: p}
	if !p.sigs.any[stageIndex(stage)] {
		return &words
	}
	words.collects = true
	return &signatureScanner{words: words, rules: ruleScanner{s: p.sigs, stage: stageIndex(stage)}}
}

// beginning returns the beginning that text starts with, or nil.
func (p *Patterns) beginning(text []byte) *prefix {
	// It sorts last of those that do not sort behind text.
	i := sort.Search(len(p.prefixes), func(i int) bool { return bytes.Compare(p.prefixes[i].text, text) > 0 })
	if i > 0 && bytes.HasPrefix(text, p.prefixes[i-1].text) {
		return &p.prefixes[i-1]
	}
	return nil
}

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
