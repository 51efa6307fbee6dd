package disguise

import (
	"bytes"
	"unicode/utf8"
)

// min85 is the length of the shortest token that is tried: nearly all tokens of
// code would be.
const min85 = 10

// ascii85 decodes a token in Adobe's or in Python's base85.
func ascii85(t []byte, out *Text) bool {
	n := len(t)
	if n < min85 {
		return false
	}
	r := bytes.TrimSuffix(bytes.TrimPrefix(t, []byte("<~")), []byte("~>"))
	for _, values := range []*[256]uint8{&adobe, &python} {
		out.reset()
		var ok bool
		if out.Bytes, ok = base85(out.Bytes, r, values); ok && plausible(out.Bytes) && mostlyLetters(out.Bytes) {
			for range out.Bytes {
				out.At = append(out.At, place(0, n))
			}
			return true
		}
	}
	out.reset()
	return false
}

// mostlyLetters is what is asked of encodings whose text may look like any code.
func mostlyLetters(d []byte) bool {
	n := 0
	for i := 0; i < len(d); {
		r, size := utf8.DecodeRune(d[i:])
		if isLetter(d[i]) || isSpace(d[i]) || r >= utf8.RuneSelf && size > 1 {
			n += size
		}
		i += size
	}
	return n*10 >= len(d)*8
}

// none marks a byte that is not of an alphabet, group one that stands for four
// zeros.
const (
	none  = 0xff
	group = 0xfe
)

var adobe = func() (t [256]uint8) {
	for c := range t {
		t[c] = none
		if c >= '!' && c <= 'u' {
			t[c] = uint8(c - '!')
		}
	}
	t['z'] = group
	return t
}()

var python = func() (t [256]uint8) {
	for c := range t {
		t[c] = none
	}
	for i, c := range []byte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~") {
		t[c] = uint8(i)
	}
	return t
}()

func base85(out, r []byte, values *[256]uint8) ([]byte, bool) {
	sum, n := uint64(0), 0
	for _, c := range r {
		switch v := values[c]; {
		case v == none, v == group && n > 0:
			return out, false
		case v == group:
			out = append(out, 0, 0, 0, 0)
			continue
		default:
			sum, n = sum*85+uint64(v), n+1
		}
		if n == 5 {
			if sum > 0xffffffff {
				return out, false
			}
			out = append(out, byte(sum>>24&0xff), byte(sum>>16&0xff), byte(sum>>8&0xff), byte(sum&0xff))
			sum, n = 0, 0
		}
	}
	if n == 0 {
		return out, true
	}
	for k := n; k < 5; k++ { // the last group is filled with the highest digit
		sum = sum*85 + 84
	}
	for k := range n - 1 {
		out = append(out, byte(sum>>(24-8*k)&0xff))
	}
	return out, n > 1 && sum <= 0xffffffff
}
