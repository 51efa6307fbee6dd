package disguise

// leetLetters are the letters that digits and signs stand for. What may be i or l
// is i here, see Text.Ells.
var leetLetters = [256]byte{
	'0': 'o', '1': 'i', '2': 'z', '3': 'e', '4': 'a', '5': 's', '6': 'g', '7': 't', '8': 'b', '9': 'g',
	'@': 'a', '$': 's', '!': 'i', '|': 'i',
}

// leetWords undoes the replaced letters of each word of a text.
func leetWords(t *Text) {
	for from := 0; from < len(t.Bytes); {
		end := from
		for end < len(t.Bytes) && t.Bytes[end] != ' ' {
			end++
		}
		leet(t, from, end, false)
		from = end + 1
	}
}

// leet undoes the replaced letters of the words from from up to end, and reports
// whether there were any. Among words with such letters, any may have them.
func leet(t *Text, from, end int, among bool) (changed bool) {
	for from < end {
		to := from
		for to < end && leetPart(t.Bytes[to]) {
			to++
		}
		if to > from && replaced(t.Bytes[from:to], among) {
			changed = true
			leetAll(t, from, to)
		}
		from = to + 1
	}
	return changed
}

// leetAll takes all that may stand for a letter for it.
func leetAll(t *Text, from, to int) {
	for i := from; i < to; i++ {
		l := leetLetters[t.Bytes[i]]
		if l == 0 {
			continue
		}
		if c := t.Bytes[i]; c == '1' || c == '|' {
			t.Ells = append(t.Ells, int32(i)) //nolint:gosec // see place
		}
		t.Bytes[i], t.At[i].Undone = l, true
	}
	n := len(t.Ells)
	for n > 0 && int(t.Ells[n-1]) >= from {
		n--
	}
	kept := t.Ells[:n]
	for _, i := range t.Ells[n:] {
		if !surelyI(t.Bytes[from:to], int(i)-from) {
			kept = append(kept, i)
		}
	}
	t.Ells = kept
}

// surelyI reports whether a letter that may be i or l fits as an i alone.
func surelyI(w []byte, i int) bool {
	before, after := uint8(0), uint8(0)
	if i > 0 {
		before = letters[w[i-1]]
	}
	if i+1 < len(w) {
		after = letters[w[i+1]]
	}
	worth := func(c byte) int {
		k := letters[c]
		return int(pairs[int(before)<<5|int(k)]) + int(pairs[int(k)<<5|int(after)])
	}
	return worth('i') > worth('l')+sure
}

// sure is what an i must be worth more than an l, in quarters of a bit.
const sure = 40

// beside reports, by 1, whether one of the next two words has replaced letters, and
// by less than 0 that more text is needed to tell.
func beside(text []byte, e int, final bool) int {
	for range 2 {
		s := e
		for s < len(text) && isSpace(text[s]) && s < e+2 {
			s++
		}
		for e = s; e < len(text) && e-s < longWord && leetPart(text[e]); {
			e++
		}
		switch {
		case e == len(text) && !final && e-s < longWord:
			return -1
		case e-s > 1 && replaced(text[s:e], false):
			return 1
		}
	}
	return 0
}

// maxLeetWord bounds the words that are looked at: longer ones are codes.
const maxLeetWord = 2 * longWord

// maxLeetNumber is the length of a number that may be a word beside words of which
// letters were replaced.
const maxLeetNumber = 3

func leetPart(c byte) bool { return isAlnum(c) || leetLetters[c] != 0 }

// replaced reports whether some letters of a word were replaced: unlike in names
// such as sha256, 2nd or 10kg, letters stand on both sides of a digit, or many
// beside one.
func replaced(w []byte, among bool) bool {
	letters, others, changes := 0, 0, 0
	for i, c := range w {
		letter := isLetter(c)
		if letter {
			letters++
		} else {
			others++
		}
		if i > 0 && letter != isLetter(w[i-1]) {
			changes++
		}
	}
	switch {
	case among && letters == 0:
		return others <= 2
	case letters == 0 || others == 0 || others > letters*6 || others > letters*3 && !among:
		return false
	case changes > 1 || among:
		return true
	}
	if n := len(w); others == 2 && w[n-1] == '1' && w[n-2] == '1' {
		return true // a word that ends in ll
	}
	return others == 1 && (letters > 2 || letters == 1 && w[1] == '0') || others == 2 && letters > 3
}
