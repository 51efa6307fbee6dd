package disguise

import "unicode/utf8"

// minCodes is how many numbers in a row are looked at as characters.
const minCodes = 3

// codes decodes characters that are written as numbers, one by one or a few
// together: in base16, in binary or in decimal, with or without commas.
func codes(text []byte, s, e int, final bool, out *Text) int {
	if hexDigit(text[s]) < 0 || e-s > longWord*3 {
		return 0
	}
	for _, base := range []int{2, 16, 10} {
		end, count := s, 0
		var sum tally
		for i := s; ; {
			mark := len(out.Bytes)
			n := number(text, i, base, final, out, i-s)
			if n < 0 {
				out.reset()
				return -1
			}
			if n <= 0 {
				break
			}
			// They are numbers from where they do not make sense.
			if !sum.add(out.Bytes[mark:]) || count == 3*minCodes && !plausible(out.Bytes) {
				out.Bytes, out.At = out.Bytes[:mark], out.At[:mark]
				break
			}
			count, end = count+1, i+n
			if i = gapEnd(text, end); i == end || end-s > MaxRun {
				break
			}
			if i == len(text) && !final {
				out.reset()
				return -1
			}
		}
		if count >= minCodes && plausible(out.Bytes) {
			return end - s
		}
		out.reset()
	}
	return 0
}

// number reads one number at i and the character, or characters, that it is. It
// returns its length, 0 if there is none and less if the text may go on.
func number(text []byte, i, base int, final bool, out *Text, at int) int {
	n := i
	if base == 16 && n+1 < len(text) && text[n] == '0' && text[n+1]|0x20 == 'x' {
		n += 2
	}
	from := n
	for n < len(text) && hexDigit(text[n]) >= 0 && hexDigit(text[n]) < base {
		n++
	}
	digits, end := text[from:n], n
	if end == len(text) && !final && end-i < MaxRun {
		return -1 // it may go on
	}
	size := len(digits)
	switch base {
	case 2:
		size = 8
	case 16:
		size = 2
	}
	if len(digits) == 0 || len(digits)%size != 0 || base == 10 && size > 3 || end < len(text) && runByte(text[end]) {
		return 0
	}
	for k := 0; k < len(digits); k += size {
		v := 0
		for _, c := range digits[k : k+size] {
			v = v*base + hexDigit(c)
		}
		if v > 0xff {
			return 0
		}
		out.add(byte(v), at, end-i)
	}
	return end - i
}

// gapEnd returns where the space, with or without a comma, between numbers ends.
func gapEnd(text []byte, i int) int {
	if i < len(text) && (text[i] == ',' || text[i] == ';') {
		i++
	}
	for n := 0; n < 2 && i < len(text) && isSpace(text[i]); n++ {
		i++
	}
	return i
}

// tally counts what numbers come to.
type tally struct{ letters, spaces, all int }

// add counts bytes, and reports whether the text is still little but letters and
// spaces, as is asked of what might be numbers.
func (t *tally) add(d []byte) bool {
	for _, c := range d {
		switch {
		case isLetter(c) || c >= utf8.RuneSelf:
			t.letters++
		case c == ' ' || c == '\n':
			t.spaces++
		case c < ' ' || c == 0x7f:
			return false
		}
		t.all++
	}
	return t.all < minCodes || (t.letters+t.spaces)*4 >= t.all*3 && t.letters*2 >= t.all
}
