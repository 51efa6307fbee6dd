package disguise

import (
	"bytes"
	"html"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// escapes undoes percent encoding, HTML's character references, the escapes of JSON
// and of programming languages, and those of quoted-printable. An escape that was
// escaped itself is undone at once. It reports whether there was any.
func escapes(t []byte, out *Text) bool {
	changed := false
	for i := 0; i < len(t); {
		n := 0
		if kinds[t[i]] == code {
			switch t[i] {
			case '%':
				n = percent(t, i, out)
			case '&':
				n = reference(t, i, out)
			case '\\':
				n = backslash(t, i, out)
			case '=':
				n = printable(t, i, out)
			}
		}
		if n == 0 {
			from := i
			i++
			for t[from] == '\\' && i < len(t) && t[i] == '\\' {
				i++ // those before the last are no escape, either
			}
			out.keep(t[from:i], from)
			continue
		}
		changed = true
		i += n
	}
	return changed
}

// hexByte returns the value of two hexadecimal digits at i, or less than 0.
func hexByte(t []byte, i int) int {
	if i+2 > len(t) {
		return -1
	}
	a, b := hexDigit(t[i]), hexDigit(t[i+1])
	if a < 0 || b < 0 {
		return -1
	}
	return a<<4 | b
}

func percent(t []byte, i int, out *Text) int {
	n := i + 1
	for bytes.HasPrefix(t[n:], []byte("25")) && hexByte(t, n+2) >= 0 {
		n += 2
	}
	if n+5 <= len(t) && t[n]|0x20 == 'u' { // %u0062
		if r := hexRune(t[n+1 : n+5]); r >= 0 {
			out.addRune(r, i, n+5-i)
			return n + 5 - i
		}
	}
	v := hexByte(t, n)
	if v < 0 {
		return 0
	}
	out.add(byte(v&0xff), i, n+2-i)
	return n + 2 - i
}

// maxReference bounds the length of a reference's name or number.
const maxReference = 34

func reference(t []byte, i int, out *Text) int {
	n := i + 1
	for bytes.HasPrefix(t[n:], []byte("amp;")) {
		n += len("amp;")
	}
	from := n
	if n < len(t) && t[n] == '#' {
		n++
		base := 10
		if n < len(t) && t[n]|0x20 == 'x' {
			base, n = 16, n+1
		}
		digits := n
		for n < len(t) && n-digits < maxReference && hexDigit(t[n]) >= 0 && hexDigit(t[n]) < base {
			n++
		}
		number := bytes.TrimLeft(t[digits:n], "0")
		v, err := strconv.ParseUint(string(number[:min(len(number), 8)]), base, 32)
		if err != nil || v > utf8.MaxRune {
			return 0
		}
		if n < len(t) && t[n] == ';' {
			n++
		}
		out.addRune(rune(v), i, n-i)
		return n - i
	}
	for n < len(t) && n-from < maxReference && isAlnum(t[n]) {
		n++
	}
	if n == from || n == len(t) || t[n] != ';' {
		if from == i+1 {
			return 0
		}
		out.add('&', i, from-i)
		return from - i
	}
	n++
	name := "&" + string(t[from:n])
	char := html.UnescapeString(name)
	if char == name {
		return 0
	}
	out.addAll([]byte(char), i, n-i)
	return n - i
}

// simple are the escapes of one letter.
var simple = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'f': '\f', 'v': '\v', 'b': ' ', '"': '"', '\'': '\'', '/': '/'}

func backslash(t []byte, i int, out *Text) int {
	n := i
	for n < len(t) && t[n] == '\\' {
		n++
	}
	if n == len(t) {
		return 0
	}
	c := t[n]
	n++
	var digits int
	switch {
	case c == 'x':
		digits = 2
	case c == 'u':
		digits = 4
	case c == 'U':
		digits = 8
	case '0' <= c && c <= '3' && n+1 < len(t):
		if v, err := strconv.ParseUint(string(t[n-1:n+2]), 8, 8); err == nil {
			out.add(byte(v), i, n+2-i)
			return n + 2 - i
		}
		return 0
	default:
		b, ok := simple[c]
		if !ok {
			return 0
		}
		out.add(b, i, n-i)
		return n - i
	}
	r := rune(-1)
	if n < len(t) && t[n] == '{' {
		if end := bytes.IndexByte(t[n:min(len(t), n+10)], '}'); end > 1 {
			r, digits = hexRune(t[n+1:n+end]), end+1
		}
	} else if n+digits <= len(t) {
		r = hexRune(t[n : n+digits])
	}
	if r < 0 {
		return 0
	}
	n += digits
	if utf16.IsSurrogate(r) && n+6 <= len(t) && t[n] == '\\' && t[n+1] == 'u' {
		if low := hexRune(t[n+2 : n+6]); low >= 0 {
			r, n = utf16.DecodeRune(r, low), n+6
		}
	}
	if c == 'x' {
		out.add(byte(r), i, n-i)
	} else {
		out.addRune(r, i, n-i)
	}
	return n - i
}

// hexRune returns the value of hexadecimal digits, or less than 0.
func hexRune(t []byte) rune {
	v, err := strconv.ParseUint(string(t), 16, 32)
	if err != nil || v > utf8.MaxRune {
		return -1
	}
	return rune(v)
}
