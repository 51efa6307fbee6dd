package disguise

import "unicode/utf8"

// minHidden is how many bytes are taken for a message that does not show.
const minHidden = 3

// hidden decodes text in characters that do not show: variation selectors, of which
// there are as many as bytes, and pairs of characters that stand for bits. What
// shows is kept, and what was hidden stands behind it.
func hidden(t []byte, out *Text) bool {
	var bytes, bits Text
	var alphabet [2]rune
	value, n, from := 0, 0, 0
	shown := 0 // what shows was kept up to here
	found := false
	flush := func(i int) {
		for _, h := range []*Text{&bytes, &bits} {
			if len(h.Bytes) >= minHidden && plausible(h.Bytes) {
				first, last := h.At[0], h.At[len(h.At)-1]
				out.keep(t[shown:max(int(first.From), shown)], shown)
				out.add(' ', int(first.From), int(first.Len))
				out.take(h, 0, len(h.Bytes))
				out.add(' ', int(last.From), int(last.Len))
				shown, found = i, true
			}
			h.reset()
		}
		value, n, alphabet = 0, 0, [2]rune{}
	}
	for i := 0; i < len(t); {
		r, size := utf8.DecodeRune(t[i:])
		b, isByte := selector(r)
		bit := -1
		if !isByte && noShow(r) {
			switch {
			case alphabet[0] == 0 || r == alphabet[0]:
				alphabet[0], bit = r, 0
			case alphabet[1] == 0 || r == alphabet[1]:
				alphabet[1], bit = r, 1
			}
		}
		switch {
		case isByte:
			bytes.add(b, i, size)
		case bit >= 0:
			if n%8 == 0 {
				from = i
			}
			value, n = value<<1|bit, n+1
			if n%8 == 0 {
				bits.add(byte(value&0xff), from, i+size-from)
			}
		case len(bytes.Bytes) > 0 || n > 0:
			orderBits(&bits, alphabet)
			flush(i)
		}
		i += size
	}
	orderBits(&bits, alphabet)
	flush(len(t))
	if !found {
		out.reset()
		return false
	}
	out.keep(t[shown:], shown)
	return true
}

// orderBits has the first bit of ASCII be 0, whichever of the two characters it was
// written with.
func orderBits(bits *Text, alphabet [2]rune) {
	for _, b := range bits.Bytes {
		if b < utf8.RuneSelf {
			return
		}
	}
	if alphabet[1] != 0 {
		for i := range bits.Bytes {
			bits.Bytes[i] = ^bits.Bytes[i]
		}
	}
}

// selector returns the byte that a variation selector may stand for.
func selector(r rune) (byte, bool) {
	switch {
	case 0xfe00 <= r && r <= 0xfe0f:
		return byte(r - 0xfe00), true
	case 0xe0100 <= r && r <= 0xe01ef:
		return byte(r - 0xe0100 + 16), true
	}
	return 0, false
}

// noShow reports whether a character shows nothing and may stand for a bit.
func noShow(r rune) bool {
	switch {
	case 0x200b <= r && r <= 0x200f, 0x2060 <= r && r <= 0x206f, r == 0xfeff, r == 0x180e, r == 0xad:
		return true
	}
	return false
}
