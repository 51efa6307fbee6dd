package disguise

import "unicode/utf8"

// where is what is known of where a word stands: beside words with replaced letters,
// or with look-alikes, and in a text that is there as it is, too.
type where struct{ odd, alike, top bool }

// word appends the word at p of a token with its letters as they are to be read, or
// else the character there. It returns where that ends, and whether anything was
// undone.
func word(t []byte, p int, w where, out *Text) (end int, changed bool) {
	var has uint8
	letters, digits, signs, parts, part, longest := 0, 0, 0, 1, 0, 0
	var likes likes
	glue := byte(0)
	end = p
	last := p // behind the last letter or digit
scan:
	for end < len(t) {
		c := t[end]
		size := 1
		switch k := kinds[c]; {
		case k&(lower|upper) != 0:
			letters++
			part++
		case k == digit:
			digits++
			part++
		case k == sign, c == '|':
			signs++
			part++
		case k == high:
			r, n := utf8.DecodeRune(t[end:])
			if !likes.count(r) {
				break scan
			}
			size = n
			part++
		case k == joint && part > 0 && end+1 < len(t) && (glue == 0 || c == glue) && c != '/' && c != '~' && kinds[t[end+1]]&(lower|upper|digit|sign|high) != 0:
			glue = c
			longest, part, parts = max(longest, part), 0, parts+1
		default:
			break scan
		}
		has |= kinds[c]
		end += size
		if kinds[c]&(lower|upper|digit|high) != 0 || c == '$' || c == '@' {
			last = end
		}
	}
	longest = max(longest, part)
	if end == p {
		_, size := utf8.DecodeRune(t[p:])
		out.keep(t[p:p+size], p)
		return p + size, false
	}
	// Signs at the end are punctuation.
	if last == p {
		out.keep(t[p:end], p)
		return end, false
	}
	from := len(out.Bytes)
	if likes.mislead(letters+digits+signs, w.alike, w.top) {
		likeness(t, p, last, out)
		changed = true
	} else {
		out.keep(t[p:last], p)
	}
	if parts > 2 && (letters > digits || likes.all > 0) {
		changed = unglue(out, from, glue, longest) || changed
	}
	if (digits+signs > 0 || changed && has&(digit|sign) != 0) && last-p <= maxLeetWord {
		changed = leet(out, from, len(out.Bytes), w.odd) || changed
	}
	if !changed {
		out.Bytes, out.At = append(out.Bytes[:from], t[p:last]...), out.At[:from]
		for i := p; i < last; i++ {
			out.At = append(out.At, Place{From: int32(i), Len: 1}) //nolint:gosec // see place
		}
	}
	out.keep(t[last:end], last)
	return end, changed
}

// unglue undoes what stands between letters or words: it joins single letters, and
// parts words.
func unglue(out *Text, from int, glue byte, longest int) bool {
	n := from
	for i := from; i < len(out.Bytes); i++ {
		b, p := out.Bytes[i], out.At[i]
		if b == glue {
			if longest == 1 {
				continue
			}
			b, p.Undone = ' ', true
		}
		out.Bytes[n], out.At[n] = b, p
		n++
	}
	out.Bytes, out.At = out.Bytes[:n], out.At[:n]
	return true
}
