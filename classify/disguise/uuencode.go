package disguise

// uuencoded decodes lines of uuencoded text: the first character of each tells how
// many bytes there are, and no letter is small. They may have spaces.
func uuencoded(text []byte, s, _ int, final bool, out *Text) int {
	end := 0
	for s+end < len(text) && end < MaxRun {
		before := len(out.Bytes)
		n := uuLine(text[s+end:], final, end, out)
		if n < 0 {
			out.reset()
			return -1
		}
		if n == 0 || !plausible(out.Bytes[before:]) || !mostlyLetters(out.Bytes[before:]) {
			out.Bytes, out.At = out.Bytes[:before], out.At[:before]
			break
		}
		end += n
		if end+1 >= len(text)-s && !final {
			out.reset()
			return -1
		}
		next := end
		for next < len(text)-s && next < end+2 && isSpace(text[s+next]) {
			next++
		}
		if s+next == len(text) || next == end {
			break
		}
		if uuSize(text[s+next:]) == 0 {
			break
		}
		// Only if it is a line, too, is it joined.
		mark, was := len(out.Bytes), end
		switch n := uuLine(text[s+next:], final, next, out); {
		case n < 0:
			out.reset()
			return -1
		case n == 0:
			return was
		}
		out.Bytes, out.At = out.Bytes[:mark], out.At[:mark]
		end = next
	}
	return end
}

// uuSize is how many bytes a line has by its first character, 0 if it is none.
func uuSize(line []byte) int {
	if line[0] < '!' || line[0] > 'M' {
		return 0
	}
	return int(line[0] - ' ')
}

// minLine is the length of the shortest line that is looked at.
const minLine = 6

func uuLine(line []byte, final bool, at int, out *Text) int {
	size := uuSize(line)
	n := 1 + (size+2)/3*4
	if size == 0 {
		return 0
	}
	for i := 1; i < n; i++ {
		if i == len(line) {
			if !final {
				return -1
			}
			n = i // spaces at the end of a line may be gone
			break
		}
		if c := line[i]; c < ' ' || c > '`' {
			if c != '\n' && c != '\r' {
				return 0
			}
			n = i
			break
		}
	}
	if n < minLine || n < 1+size || n < len(line) && !isSpace(line[n]) {
		return 0
	}
	bits, have, from := uint(0), 0, len(out.Bytes)
	for i := 1; len(out.Bytes)-from < size; i++ {
		v := uint(0)
		if i < n {
			v = uint(line[i]-' ') & 63
		}
		bits = bits<<6 | v
		if have += 6; have >= 8 {
			have -= 8
			out.add(byte(bits>>have&0xff), at, n)
		}
	}
	return n
}
