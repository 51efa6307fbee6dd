package disguise

// doubter looks for turned text.
type doubter struct {
	text   []byte
	final  bool
	unsure int // where words begin that may be of it, -1 if none do
}

// doubt returns the first place where turned text starts and its turn. If there is
// none, that is the place up to which it is decided, and from looks on what follows
// looks turned.
func doubt(text []byte, s int, final bool) (at int, how turn, looks int) {
	d := doubter{text, final, -1}
	before, start, both := uint8(0), s, int32(0)
	for i := s; i < len(text); i++ {
		k := letters[text[i]]
		if k != 0 {
			if before == 0 {
				start, both = i, 0
			}
			both += bothWays[int(before)<<5|int(k)]
			before = k
			if i-start < maxLetters {
				continue
			}
		}
		if before != 0 {
			if at, how, stop := d.word(start, i, both+bothWays[int(before)<<5]); stop {
				return at, how, start
			}
		}
		before = 0
	}
	switch {
	case before == 0:
		start = len(text)
	case final:
		if at, how, stop := d.word(start, len(text), both+bothWays[int(before)<<5]); stop {
			return at, how, start
		}
		return len(text), straight, len(text)
	}
	looks = len(text)
	if sum, _ := apart(both); before != 0 && sum < 0 {
		looks = start
	}
	if !final && d.unsure >= 0 && start-d.unsure <= maxUnsure {
		start = d.unsure
	}
	return start, straight, looks
}

// word looks at a word, and at what follows if it is like no other. It stops the
// search where that is turned, or not long enough to tell.
func (d *doubter) word(start, end int, both int32) (at int, how turn, stop bool) {
	switch sum, back := apart(both); {
	case sum < doubtful*(end-start+1) || back > sum+backFits:
		for _, from := range [2]int{d.unsure, start} {
			if from < 0 || start-from > maxUnsure {
				continue
			}
			if how, decided := suspect(d.text, from, d.final); !decided || how != straight {
				return from, how, true
			}
		}
		d.unsure = -1
	case end-start < 2 || sum < surely*(end-start+1) || back > sum || begins(d.text, start):
		if d.unsure < 0 || start-d.unsure > maxUnsure {
			d.unsure = start
		}
	default:
		d.unsure = -1
	}
	return 0, straight, false
}

// begins reports whether a word is the first of the text, of a line, or behind a sign
// such as a colon: turned text begins there, and its first word may look well.
func begins(text []byte, i int) bool {
	for n := 0; n < 2 && i > 0 && text[i-1] == ' '; n++ {
		i--
	}
	return i == 0 || text[i-1] == '\n' || kinds[text[i-1]]&(mark|joint|sign|code) != 0 && text[i-1] != ','
}

// suspect looks at the words from s on, if there are enough.
func suspect(text []byte, s int, final bool) (how turn, decided bool) {
	count, fine, last, e := 0, 0, s, s
	for count < enough && e-s < farEnough && fine < fineWords {
		w := nextWord(text, e)
		e = wordEnd(text, w)
		if e == len(text) && !final && e-w < maxLetters {
			return straight, false
		}
		if w == e {
			break
		}
		switch f := read(text[w:e], straight); {
		case f.n <= fineLetters: // says nothing
		case f.per(finePair):
			fine++
		default:
			fine, last = 0, e
		}
		count += e - w
	}
	if fine == fineWords { // these are as they should be
		e = last
	}
	if !prose(text[s:e]) {
		return straight, true
	}
	return bestTurn(text[s:e]), true
}

// prose reports whether a text is of words with spaces between, unlike codes and
// identifiers: few digits and signs, and spaces where there is much.
func prose(text []byte) bool {
	digits, spaces, marks := 0, 0, 0
	for _, c := range text {
		switch kinds[c] {
		case digit:
			digits++
		case space:
			spaces++
		case mark, sign, code, joint:
			marks++
		}
	}
	return digits*8 <= len(text) && marks*7 <= len(text) && spaces*20 >= len(text)-20
}

// Words that are as they should be end what is looked at.
const (
	fineWords   = 2
	fineLetters = 2
	finePair    = 3
)
