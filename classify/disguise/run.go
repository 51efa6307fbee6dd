package disguise

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// Runs of letters, digits and a few signs may be text in base16, base32 or base64.
// They are only told from words and names by what they decode to.

// minRun is the length of the shortest run that is looked at: four letters in
// base16, or in base64 with its padding.
const minRun = 8

// runByte reports whether a byte may be of a run.
func runByte(c byte) bool {
	return isAlnum(c) || c == '+' || c == '/' || c == '-' || c == '_'
}

// runLen returns the length of the run that starts at p, with its padding, and 0 if
// none does.
func runLen(t []byte, p int) int {
	n := p
	for n < len(t) && runByte(t[n]) {
		n++
	}
	if n == p {
		return 0
	}
	for k := 0; k < 6 && n < len(t) && t[n] == '='; k++ {
		n++
	}
	return n - p
}

// endsRun reports whether a token ends with a run that can be decoded, so that the
// sign at its end is padding.
func (u *Unmasker) endsRun(t []byte, raw *Text) bool {
	p := len(bytes.TrimRight(t, "="))
	for p > 0 && runByte(t[p-1]) {
		p--
	}
	n := runLen(t, p)
	ok := p+n == len(t) && n > 0 && u.run(t, p, n, raw)
	raw.reset()
	return ok
}

// run decodes the run of n bytes at p, if it is one that can be.
func (u *Unmasker) run(t []byte, p, n int, out *Text) bool {
	r := t[p : p+n]
	if n < minRun || !looksCoded(r) {
		return false
	}
	if decodeRun(r, out, p, n) {
		return true
	}
	if n < 2*minRun {
		return false
	}
	// What is encoded may be turned as a whole.
	for _, how := range []turn{rot13, atbash, backwards} {
		if u.turns.run = how.apply(u.turns.run[:0], r); decodeRun(u.turns.run, out, p, n) {
			return true
		}
	}
	return false
}

// looksCoded refuses words: encoded text has capitals or digits within.
func looksCoded(r []byte) bool {
	has := uint8(0)
	for _, c := range r[1:] {
		has |= kinds[c]
	}
	return has&(upper|digit|code) != 0
}

func decodeRun(r []byte, out *Text, p, n int) bool {
	for _, decode := range []func(out, r []byte) ([]byte, bool){base16, base32, base64} {
		from := len(out.Bytes)
		var ok bool
		if out.Bytes, ok = decode(out.Bytes, r); ok {
			if wide(out.Bytes[from:]) {
				out.Bytes = narrow(out.Bytes, from)
			}
			if plausible(out.Bytes[from:]) {
				for range len(out.Bytes) - from {
					out.At = append(out.At, place(p, n))
				}
				return true
			}
		}
		out.Bytes = out.Bytes[:from]
	}
	return false
}

// narrow makes text of two-byte characters (UTF-16), as some shells want it, one of
// UTF-8.
func narrow(b []byte, from int) []byte {
	units := make([]uint16, 0, (len(b)-from)/2)
	for i := from; i+1 < len(b); i += 2 {
		units = append(units, uint16(b[i])|uint16(b[i+1])<<8)
	}
	b = b[:from]
	for _, r := range utf16.Decode(units) {
		b = utf8.AppendRune(b, r)
	}
	return b
}

func base16(out, r []byte) ([]byte, bool) {
	if len(r)%2 == 1 {
		return out, false
	}
	for i := 0; i < len(r); i += 2 {
		a, b := hexDigit(r[i]), hexDigit(r[i+1])
		if a < 0 || b < 0 {
			return out, false
		}
		out = append(out, byte(a<<4|b)) //nolint:gosec // each is less than 16
	}
	return out, true
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func base32(out, r []byte) ([]byte, bool) {
	r = bytes.TrimRight(r, "=")
	if len(r) == 0 {
		return out, false
	}
	kind := kinds[r[0]]
	bits, n := uint(0), 0
	for _, c := range r {
		var v uint
		switch {
		case '2' <= c && c <= '7':
			v = uint(c-'2') + 26
		case isLetter(c) && (kind == digit || kinds[c] == kind):
			v, kind = uint(lowered(c)-'a'), kinds[c]
		default:
			return out, false
		}
		bits = bits<<5 | v
		if n += 5; n >= 8 {
			n -= 8
			out = append(out, byte(bits>>n&0xff))
		}
	}
	return out, true
}

func base64(out, r []byte) ([]byte, bool) {
	r = bytes.TrimRight(r, "=")
	bits, n := uint(0), 0
	for _, c := range r {
		v := base64Values[c]
		if v < 0 {
			return out, false
		}
		bits = bits<<6 | uint(v)
		if n += 6; n >= 8 {
			n -= 8
			out = append(out, byte(bits>>n&0xff))
		}
	}
	return out, len(r)%4 != 1
}

// base64Values has both alphabets.
var base64Values = func() (t [256]int8) {
	for c := range t {
		t[c] = -1
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = int8(i)
	}
	t['-'], t['_'] = 62, 63
	return t
}()
