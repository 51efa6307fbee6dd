package classify

import (
	"bytes"
	"slices"
	"sort"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// folder turns text into the normalised form in which patterns are compared:
// compatibility decomposition (NFKD), without combining marks and invisible
// characters, in one case, with every run of white space as one space.
//
// It works rune by rune, so that the result is the same however the text is
// split. That is why it decomposes and does not compose: what NFKC would put
// together again looks different only to a reader, and the patterns go through
// the same folder.
type folder struct {
	out   []byte // normalised text that is still needed
	base  int64  // position of out[0] in all of the normalised text
	src   int64  // source bytes taken, without the carry
	segs  []segment
	space bool // the last thing written is a space

	carry   [utf8.UTFMax]byte // an incomplete character
	carried int
	scratch []byte
}

// segment maps normalised bytes from norm on to the source from src on, byte by
// byte or, where width is not 0, all to one source character of that width.
type segment struct {
	norm, src int64
	width     int
}

// asciiFold gives each ASCII byte its normalised form: ' ' for white space, 0
// for control characters, which are dropped.
var asciiFold = func() (t [utf8.RuneSelf]byte) {
	for c := range t {
		switch {
		case c == ' ' || '\t' <= c && c <= '\r':
			t[c] = ' '
		case c < ' ' || c == 0x7f:
			t[c] = 0
		case 'A' <= c && c <= 'Z':
			t[c] = byte(c) + 'a' - 'A'
		default:
			t[c] = byte(c)
		}
	}
	return t
}()

// write folds the next bytes of the source.
func (f *folder) write(text []byte) {
	for f.carried > 0 && len(text) > 0 {
		f.carry[f.carried] = text[0]
		f.carried++
		text = text[1:]
		if c := f.carry[:f.carried]; utf8.FullRune(c) {
			r, size := utf8.DecodeRune(c)
			rest := f.carry
			n := copy(rest[:], c[size:])
			f.carried = 0
			f.rune(r, size)
			// A broken character gives back the bytes that it did not use.
			f.write(rest[:n])
		}
	}
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			i += f.ascii(text[i:])
			continue
		}
		if !utf8.FullRune(text[i:]) {
			f.carried = copy(f.carry[:], text[i:])
			return
		}
		r, size := utf8.DecodeRune(text[i:])
		f.rune(r, size)
		i += size
	}
}

// close folds what remains of the source.
func (f *folder) close() {
	n := f.carried
	f.carried = 0
	for range n {
		f.rune(utf8.RuneError, 1)
	}
}

// reset makes the folder ready for another text.
func (f *folder) reset() {
	*f = folder{out: f.out[:0], segs: f.segs[:0], scratch: f.scratch[:0]}
}

// end is the position behind the normalised text.
func (f *folder) end() int64 { return f.base + int64(len(f.out)) }

// ascii folds the ASCII bytes that text starts with and returns their number.
func (f *folder) ascii(text []byte) int {
	f.linear()
	start := len(f.out)
	out := slices.Grow(f.out, len(text))[:start+len(text)]
	n := start // written so far
	jumped := false
	for i, c := range text {
		if c >= utf8.RuneSelf {
			text = text[:i]
			break
		}
		folded := asciiFold[c]
		if folded == 0 || folded == ' ' && f.space {
			jumped = true
			continue
		}
		if jumped {
			f.out, f.src = out[:n], f.src+int64(i)
			f.linear()
			f.src -= int64(i)
			jumped = false
		}
		f.space = folded == ' '
		out[n] = folded
		n++
	}
	f.out = out[:n]
	f.src += int64(len(text))
	return len(text)
}

// linear starts a segment of bytes that map one to one, if the last segment
// does not go on that way by itself.
func (f *folder) linear() {
	next := segment{norm: f.end(), src: f.src}
	n := len(f.segs)
	switch {
	case n == 0 || f.segs[n-1].norm < next.norm && !f.segs[n-1].reaches(next):
		f.segs = append(f.segs, next)
	case f.segs[n-1].norm == next.norm: // nothing came of the last one
		f.segs[n-1] = next
	}
}

// reaches reports whether s goes on byte by byte to where t starts.
func (s segment) reaches(t segment) bool {
	return s.width == 0 && s.src+t.norm-s.norm == t.src
}

// rune folds one character that takes size bytes of the source.
func (f *folder) rune(r rune, size int) {
	start := len(f.out)
	switch {
	case r == utf8.RuneError && size == 1:
		f.put(r)
	case 0xe0020 <= r && r <= 0xe007e: // tags: an invisible copy of ASCII
		f.put(r - 0xe0000)
	default:
		var char [utf8.UTFMax]byte
		n := utf8.EncodeRune(char[:], r)
		if norm.NFKD.IsNormal(char[:n]) {
			f.put(r)
			break
		}
		s := norm.NFKD.Properties(char[:n]).Decomposition()
		if s == nil { // Hangul, which is not in its table
			f.scratch = norm.NFKD.Append(f.scratch[:0], char[:n]...)
			s = f.scratch
		}
		for len(s) > 0 {
			d, n := utf8.DecodeRune(s)
			f.put(d)
			s = s[n:]
		}
	}
	if len(f.out) > start {
		s := segment{norm: f.base + int64(start), src: f.src, width: size}
		if n := len(f.segs); n > 0 && f.segs[n-1].norm == s.norm {
			f.segs[n-1] = s
		} else {
			f.segs = append(f.segs, s)
		}
	}
	f.src += int64(size)
}

// put writes the normalised form of a decomposed character.
func (f *folder) put(r rune) {
	switch {
	case unicode.IsSpace(r) || unicode.Is(unicode.Z, r) || r == brailleBlank:
		if !f.space {
			f.out = append(f.out, ' ')
		}
		f.space = true
		return
	case invisible(r):
		return
	case r < utf8.RuneSelf:
		f.out = append(f.out, asciiFold[r])
	default:
		// There and back, because some letters share only an upper case.
		f.out = utf8.AppendRune(f.out, unicode.ToLower(unicode.ToUpper(r)))
	}
	f.space = false
}

// brailleBlank is a pattern without dots: a space to the eye.
const brailleBlank = 0x2800

// invisible reports whether r shows nothing by itself: marks, format and
// control characters, and the fillers of Unicode's Default_Ignorable_Code_Point.
func invisible(r rune) bool {
	switch {
	case r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0:
		return true
	case r == 0x2065, 0xfff0 <= r && r <= 0xfff8, 0xe0000 <= r && r <= 0xe0fff: // not assigned yet
		return true
	}
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.C)
}

// source returns the source range of the normalised range.
func (f *folder) source(start, end int64) (from, to int64) {
	s := f.segmentAt(start)
	from = s.src
	if s.width == 0 {
		from += start - s.norm
	}
	if end == start {
		return from, from
	}
	s = f.segmentAt(end - 1)
	if s.width > 0 {
		return from, s.src + int64(s.width)
	}
	return from, s.src + end - s.norm
}

// segmentAt finds the last segment that starts at or before a position.
func (f *folder) segmentAt(pos int64) segment {
	i := sort.Search(len(f.segs), func(i int) bool { return f.segs[i].norm > pos })
	return f.segs[max(i-1, 0)]
}

// forget drops the normalised text before a position.
func (f *folder) forget(pos int64) {
	n := copy(f.out, f.out[pos-f.base:])
	f.out, f.base = f.out[:n], pos
	keep := 0
	for keep+1 < len(f.segs) && f.segs[keep+1].norm <= pos {
		keep++
	}
	if keep > 0 {
		f.segs = f.segs[:copy(f.segs, f.segs[keep:])]
	}
}

// fold returns the normalised form of a whole text.
func fold(text string) []byte {
	var f folder
	f.write([]byte(text))
	f.close()
	return f.out
}

// SameWords reports whether two texts are the same to the pattern classifier.
func SameWords(a, b string) bool {
	return bytes.Equal(bytes.TrimSpace(fold(a)), bytes.TrimSpace(fold(b)))
}
