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
		if !plausible(bits.Bytes) { // which of the two is 0?
			for k := range bits.Bytes {
				bits.Bytes[k] = ^bits.Bytes[k]
			}
		}
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
			flush(i)
		}
		i += size
	}
	flush(len(t))
	if !found {
		out.reset()
		return false
	}
	out.keep(t[shown:], shown)
	return true
}

// hiddenBits returns how many bytes at the end of a token are not of a whole byte
// that is written in characters that do not show.
func hiddenBits(t []byte) int {
	count, over := 0, 0
	for end := len(t); end > 0; {
		r, size := utf8.DecodeLastRune(t[:end])
		if !noShow(r) {
			break
		}
		count++
		end -= size
	}
	if count < len(t)/4 {
		return 0
	}
	for count %= 8; count > 0; count-- {
		_, size := utf8.DecodeLastRune(t[:len(t)-over])
		over += size
	}
	return over
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
