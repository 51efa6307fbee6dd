package model

import (
	"unicode"
	"unicode/utf8"
)

// token is one word: a run of ASCII letters, digits and apostrophes, one
// character of a script that writes without spaces, or a run of other letters.
type token struct {
	start, end int64 // of the normalised text
	// Where it starts and ends in characters, those of dense scripts counted
	// double.
	at, to int64
	// The features of the token are feats[from:], own of which are its own,
	// then those that reach back one token, then those that reach back two.
	from           int64
	own, back, far int
	dense          bool
	// Hashes of the beginnings of features that later tokens complete.
	pairHash, skipHash, twoHash, threeHash uint64
}

// maxToken bounds a token in bytes; longer runs are cut.
const maxToken = 48

type class uint8

const (
	other class = iota
	ascii
	letter
	dense
)

var asciiClass = func() (t [utf8.RuneSelf]class) {
	for c := 'a'; c <= 'z'; c++ {
		t[c] = ascii
	}
	for c := '0'; c <= '9'; c++ {
		t[c] = ascii
	}
	t['\''] = ascii
	return t
}()

// classOf says what kind of token a character belongs to.
func classOf(r rune) class {
	switch {
	case r < utf8.RuneSelf:
		return asciiClass[r]
	case r == rightQuote:
		return ascii
	case r >= 0x2e80 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
		return dense
	case unicode.IsLetter(r), unicode.Is(unicode.Mc, r):
		return letter
	case unicode.IsDigit(r):
		return letter
	}
	return other
}

// rightQuote is the typographic apostrophe.
const rightQuote = 0x2019

// scan returns where the first token of text lies and its width. Without one it
// returns how much can be skipped as start and as end. A token that may go on
// behind the text is only returned if that is final.
func scan(text []byte, final bool) (start, end, width int, isDense bool) {
	i := 0
	var kind class
	for i < len(text) {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[i:])
		}
		if kind = classOf(r); kind != other {
			if kind == dense {
				return i, i + size, 2, true
			}
			break
		}
		i += size
	}
	start = i
	for i < len(text) {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[i:])
		}
		if classOf(r) != kind || i+size-start > maxToken {
			return start, i, width, false
		}
		i += size
		width++
	}
	if !final {
		return start, start, 0, false
	}
	return start, i, width, false
}
