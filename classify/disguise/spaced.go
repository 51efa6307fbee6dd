package disguise

import "unicode/utf8"

// minSpaced is how many letters in a row, with the same between them, are taken for
// a word.
const minSpaced = 3

// spaced joins letters that stand apart: by a space, or by points and the like. More
// than what stands between the letters of a word parts words.
func spaced(text []byte, s, e int, final bool, out *Text) int {
	_, size := letterAt(text, s)
	if size == 0 {
		return 0
	}
	if s+size == len(text) {
		if final {
			return 0
		}
		return -1
	}
	if kinds[text[s+size]]&(lower|upper|digit|high) != 0 {
		return 0
	}
	end, count, longest, run := s, 0, 0, 0
	var sep, gap []byte
	for i := s; i < len(text) && i-s < MaxRun; {
		var c byte
		if i > s && text[i] == '\'' {
			c, size = text[i], 1
		} else if c, size = letterAt(text, i); size == 0 {
			if i+utf8.UTFMax > len(text) && !utf8.FullRune(text[i:]) && !final {
				return more(out)
			}
			break
		}
		next := separator(text, i+size)
		if next == len(text) && !final {
			return more(out)
		}
		if next == i+size && next < len(text) && (kinds[text[next]]&(lower|upper|digit|sign|high) != 0) {
			break // of a longer word
		}
		if sep == nil && gap != nil {
			sep = gap
		}
		if gap != nil && string(gap) != string(sep) {
			if len(gap) < len(sep) || isSpace(sep[0]) && !isSpace(gap[0]) {
				break
			}
			out.add(' ', end-s, i-end)
			run = 0
		}
		out.add(c, i-s, size)
		count, run = count+1, run+1
		longest = max(longest, run)
		end = i + size
		if gap = text[end:next]; len(gap) == 0 || len(gap) > 4 {
			break
		}
		i = next
	}
	if longest < minSpaced || count < minSpaced+1 && (len(sep) == 0 || isSpace(sep[0])) {
		out.reset()
		return 0
	}
	leetWords(out)
	return end - s
}

func more(out *Text) int {
	out.reset()
	return -1
}

// letterAt reads a letter, or what may stand for one.
func letterAt(text []byte, i int) (c byte, size int) {
	if i == len(text) {
		return 0, 0
	}
	if c = text[i]; c < utf8.RuneSelf {
		if isAlnum(c) || kinds[c] == sign {
			return c, 1
		}
		return 0, 0
	}
	r, size := utf8.DecodeRune(text[i:])
	if like := lookalike(r); like != 0 {
		return like, size
	}
	return 0, 0
}

// separator returns where what stands between letters ends.
func separator(text []byte, i int) int {
	for end := i + widestGap; i < len(text) && i < end; {
		switch c := text[i]; {
		case isSpace(c) || kinds[c] == joint || c == ',' || c == ':' || c == ';':
			i++
		case c == 0xc2 && i+1 < len(text) && (text[i+1] == 0xb7 || text[i+1] == 0xa0): // · and the no-break space
			i += 2
		case c == 0xe2 && i+2 < len(text) && text[i+1] == 0x80 && text[i+2] == 0xa2: // •
			i += 3
		default:
			return i
		}
	}
	return i
}
