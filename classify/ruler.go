package classify

import (
	"math/bits"
	"unicode/utf8"
)

// ruler measures distances in a text in characters that show, from positions in
// bytes of the source. Any number of invisible characters, and a run of white
// space of any length, brings words no further apart than it does for a reader.
//
// It keeps a bit for each byte: whether such a character begins there.
type ruler struct {
	bits  []uint64
	sums  []int64 // characters before each word of bits
	base  int64   // position of the first bit, a multiple of 64
	n     int64   // bytes read, without the carry
	space bool    // the last character that showed was white space

	carry   [utf8.UTFMax]byte // an incomplete character
	carried int
}

// read takes the next bytes of the text.
func (r *ruler) read(text []byte) {
	for r.carried > 0 && len(text) > 0 {
		r.carry[r.carried] = text[0]
		r.carried++
		text = text[1:]
		if c := r.carry[:r.carried]; utf8.FullRune(c) {
			char, size := utf8.DecodeRune(c)
			rest := r.carry
			n := copy(rest[:], c[size:])
			r.carried = 0
			r.put(char, size)
			r.read(rest[:n])
		}
	}
	for len(text) > 0 {
		if c := text[0]; c < utf8.RuneSelf {
			text = text[r.ascii(text):]
			continue
		}
		if !utf8.FullRune(text) {
			r.carried = copy(r.carry[:], text)
			return
		}
		char, size := utf8.DecodeRune(text)
		r.put(char, size)
		text = text[size:]
	}
}

// ascii reads the ASCII bytes that text starts with, as many as the current word
// of bits has room for, and returns their number.
func (r *ruler) ascii(text []byte) int {
	w, at := r.word()
	text = text[:min(len(text), 64-at)]
	set, space := uint64(0), r.space
	for i, c := range text {
		if c >= utf8.RuneSelf {
			text = text[:i]
			break
		}
		switch folded := asciiFold[c]; {
		case folded == 0:
		case folded != ' ':
			set |= 1 << i
			space = false
		case !space:
			set |= 1 << i
			space = true
		}
	}
	*w |= set << at
	r.space = space
	r.n += int64(len(text))
	return len(text)
}

// put reads one character that is not ASCII.
func (r *ruler) put(char rune, size int) {
	if w, at := r.word(); !hidden(char) {
		*w |= 1 << at
		r.space = false
	}
	r.n += int64(size)
}

// word returns the word of bits for the next byte, and the bit in it.
func (r *ruler) word() (*uint64, int) {
	k := int(r.n-r.base) >> 6
	for k >= len(r.bits) {
		sum := int64(0)
		if n := len(r.bits); n > 0 {
			sum = r.sums[n-1] + int64(bits.OnesCount64(r.bits[n-1]))
		}
		r.bits, r.sums = append(r.bits, 0), append(r.sums, sum)
	}
	return &r.bits[k], int(r.n-r.base) & 63
}

// at returns how many characters begin before a position.
func (r *ruler) at(pos int64) int64 {
	if len(r.bits) == 0 {
		return 0
	}
	pos = max(pos-r.base, 0)
	k := int(pos >> 6)
	if k >= len(r.bits) {
		k, pos = len(r.bits)-1, -1
	}
	mask := uint64(1)<<(pos&63) - 1
	if pos < 0 {
		mask = ^uint64(0)
	}
	return r.sums[k] + int64(bits.OnesCount64(r.bits[k]&mask))
}

// forget drops what lies before a position. Nothing before it is asked for.
func (r *ruler) forget(pos int64) {
	k := min(int(pos-r.base)>>6, len(r.bits)-1)
	if k < 16 {
		return
	}
	r.bits = r.bits[:copy(r.bits, r.bits[k:])]
	r.sums = r.sums[:copy(r.sums, r.sums[k:])]
	r.base += int64(k) << 6
}

// reset makes the ruler ready for another text.
func (r *ruler) reset() { *r = ruler{bits: r.bits[:0], sums: r.sums[:0]} }

// hidden reports whether a character shows nothing by itself: the blocks that
// are all of such, rather than each category of Unicode, since this is asked for
// every character.
func hidden(r rune) bool {
	switch {
	case r < 0x300:
		return r < 0xa0 || r == 0xad
	case r <= 0x36f, 0x483 <= r && r <= 0x489, r == 0x61c, r == 0x115f, r == 0x1160, r == 0x180e:
		return true
	case r < 0x200b:
		return false
	case r <= 0x200f, 0x2028 <= r && r <= 0x202e, 0x2060 <= r && r <= 0x206f, 0x20d0 <= r && r <= 0x20ff:
		return true
	}
	return r == 0x3164 || 0xfe00 <= r && r <= 0xfe0f || r == 0xfeff || r == 0xffa0 || r >= 0xe0000 && r <= 0xe0fff
}
