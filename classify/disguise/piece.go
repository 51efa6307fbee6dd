package disguise

import "unicode/utf8"

// cut shortens a token that goes on, so that what is encoded in it can be decoded
// piece by piece: after whole groups, of all encodings that may lie in one another.
func cut(text []byte, s, e int) int {
	if e-s < MaxRun || e < len(text) && isSpace(text[e]) {
		return e
	}
	p := e
	for p > s && runByte(text[p-1]) {
		p--
	}
	if n := (e - p) &^ 63; n > 0 {
		return p + n
	}
	for q := e - 1; q > e-longEscape && q > s; q-- { // nor within an escape
		if kinds[text[q]] == code && kinds[text[q-1]] != code {
			return q
		}
	}
	for n := 1; n < utf8.UTFMax; n++ {
		if utf8.RuneStart(text[e-n]) {
			if !utf8.FullRune(text[e-n : e]) {
				e -= n
			}
			break
		}
	}
	return e - hiddenBits(text[s:e])
}

// longEscape is the length of all but a few escapes.
const longEscape = 12
