package disguise

import "unicode/utf8"

// What a byte is to the search for disguises.
const (
	lower = 1 << iota
	upper
	digit
	joint // may stand between the letters or the parts of a word
	sign  // may stand for a letter
	code  // begins or ends an escape
	high  // not of ASCII
	mark  // any other punctuation
	space = 0
)

var kinds = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= utf8.RuneSelf:
			t[c] = high
		case 'a' <= c && c <= 'z':
			t[c] = lower
		case 'A' <= c && c <= 'Z':
			t[c] = upper
		case '0' <= c && c <= '9':
			t[c] = digit
		case c > ' ' && c < 0x7f:
			t[c] = mark
		}
	}
	for _, c := range ".-_*/|~+^" {
		t[c] = joint
	}
	for _, c := range "@$!" {
		t[c] = sign
	}
	for _, c := range "&%\\=" {
		t[c] = code
	}
	return t
}()

// longWord is a length of what is hardly a word any more.
const longWord = 24

// token returns where the token that starts at s ends, and what it is made of.
// The first byte counts in first only.
func token(text []byte, s int) (e int, first, rest uint8) {
	first = kinds[text[s]]
	end := min(len(text), s+MaxRun)
	for e = s + 1; e < end; e++ {
		k := kinds[text[e]]
		if k == lower {
			rest |= lower
			continue
		}
		if k == space || k == high && spaceless(text, e) {
			break
		}
		rest |= k
	}
	return e, first, rest
}

// ordinary reports whether a token is a word as most are, which hides nothing.
func ordinary(text []byte, s, e int, first, rest uint8) bool {
	if rest&^(lower|mark) != 0 {
		// One mark at its end is nothing, either.
		return rest&^(lower|mark|joint|sign) == 0 && first&(lower|upper) != 0 && rest&(joint|sign) != 0 &&
			e-s > 2 && e-s < longWord && plainEnd(text[s+1:e])
	}
	return first&(lower|upper|mark) != 0 && e-s > 1 && e-s < longWord || e-s == 1 && first == mark
}

// article reports whether a token is a letter by itself, with a word behind it: "a
// word".
func article(text []byte, s, e int) bool {
	return e-s == 1 && e+2 < len(text) && isLetter(text[s]) && text[e] == ' ' && isLetter(text[e+1]) && kinds[text[e+2]]&(lower|upper) != 0
}

// plainEnd reports whether only the last bytes are signs or joints.
func plainEnd(text []byte) bool {
	n := len(text)
	for n > 0 && kinds[text[n-1]]&(lower|upper|digit) == 0 {
		n--
	}
	for _, c := range text[:n] {
		if kinds[c]&(joint|sign) != 0 {
			return false
		}
	}
	return n > 0
}

// spaceless reports whether a character of a script without spaces, which is not
// used for look-alikes, starts at i: tokens end there, or a whole text was one.
func spaceless(text []byte, i int) bool {
	switch c := text[i]; {
	case c == 0xea && i+1 < len(text):
		return text[i+1] >= 0xb0
	case c == 0xe0, 0xe3 <= c && c <= 0xed && c != 0xea:
		return true
	case c == 0xe1 && i+1 < len(text):
		d := text[i+1]
		return d <= 0x82 || 0x84 <= d && d <= 0x87 || d == 0x9e || d == 0x9f
	}
	return false
}

// skip returns the first place from s on where a token starts. A character that is
// not complete counts as a token.
func skip(text []byte, s int) int {
	for s < len(text) {
		switch k := kinds[text[s]]; {
		case k == space:
			s++
		case k == high && spaceless(text, s) && utf8.FullRune(text[s:]):
			_, size := utf8.DecodeRune(text[s:])
			s += size
		default:
			return s
		}
	}
	return s
}

func isLetter(c byte) bool { return kinds[c]&(lower|upper) != 0 }
func isAlnum(c byte) bool  { return kinds[c]&(lower|upper|digit) != 0 }
func isSpace(c byte) bool  { return kinds[c] == space }

// lowered is a letter of ASCII in lower case.
func lowered(c byte) byte {
	if kinds[c] == upper {
		return c + 'a' - 'A'
	}
	return c
}
