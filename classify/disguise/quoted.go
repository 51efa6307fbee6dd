package disguise

// printable undoes an escape of quoted-printable.
func printable(t []byte, i int, out *Text) int {
	v := hexByte(t, i+1)
	if v < ' ' || v == 0x7f {
		return 0
	}
	// One by itself may be a number that something is set to.
	if i+3 == len(t) && (i < 3 || t[i-3] != '=') || i+3 < len(t) && t[i+3] != '=' && !isLetter(t[i+3]) {
		return 0
	}
	out.add(byte(v&0xff), i, 3)
	return 3
}

// softBreak joins tokens between which quoted-printable broke a line.
func softBreak(text []byte, s, e int, final bool, out *Text) int {
	from := s
	for {
		n := 0
		switch rest := text[e:]; {
		case len(rest) == 0 || len(rest) == 1 && rest[0] == '\r':
			return -1
		case rest[0] == '\n':
			n = 1
		case rest[0] == '\r' && rest[1] == '\n':
			n = 2
		}
		if n == 0 || e-s > MaxRun {
			if from == s {
				return 0
			}
			out.keep(text[from:e], from-s)
			return e - s
		}
		out.keep(text[from:e-1], from-s)
		from = e + n
		if from < len(text) && isSpace(text[from]) {
			return from - s
		}
		if from == len(text) {
			if final {
				return from - s
			}
			return -1
		}
		e, _, _ = token(text, from)
		switch {
		case e == len(text) && !final && e-from < MaxRun:
			return -1
		case text[e-1] != '=' || e == len(text):
			out.keep(text[from:e], from-s)
			return e - s
		}
	}
}
