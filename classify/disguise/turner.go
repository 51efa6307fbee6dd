package disguise

import "slices"

// Turner undoes what was done to the letters of a whole text: a shift such as
// ROT13, Atbash, and text that runs backwards. It looks at how letters follow each
// other: where that is unlike any text, and after a turn like English, the turn is
// undone. One goroutine owns it.
type Turner struct {
	how   turn // of the text at hand
	doubt int
	fine  int // how much of what is not decided does not look turned
	out   Text
}

// Text is what the last stretch stands for. It is valid until the next call.
func (u *Turner) Text() *Text { return &u.out }

// Beginning returns how much of what is not decided need not wait for it: words that
// are as they should be, and may be the first of turned text all the same.
func (u *Turner) Beginning(pending []byte) int {
	if u.how != straight {
		return 0
	}
	return min(u.fine, len(pending))
}

// Reset makes the turner ready for another text.
func (u *Turner) Reset() { u.how, u.doubt, u.fine = straight, 0, 0 }

// What makes a turner look, and how far.
const (
	doubtful   = 2   // a pair of a word that is worth less on average
	surely     = 5   // as much, of a word that is surely not
	maxUnsure  = 24  // bytes of unsure words that are waited with
	enough     = 24  // letters to decide by
	farEnough  = 120 // bytes
	longDoubt  = 48  // by which words are better as they stand, where a turned text ends
	maxLetters = 64  // of a word
	maxBack    = 1024
	backFits   = 8 // by which a word is better backwards
)

// Next is as [Unmasker.Next].
func (u *Turner) Next(text []byte, i int, final bool) (plain, n int, err error) {
	for s := i; ; {
		if u.how == straight {
			var looks int
			s, u.how, looks = doubt(text, s, final)
			u.fine = looks - s
			if u.how == straight {
				return s - i, 0, nil
			}
		}
		s = nextWord(text, s)
		if s == len(text) {
			return s - i, 0, nil
		}
		if u.how == backwards {
			n := u.turnBack(text[s:], final)
			return s - i, n, nil
		}
		e := wordEnd(text, s)
		if e == len(text) && !final && e-s < maxLetters {
			return s - i, 0, nil
		}
		if u.ends(text[s:e]) {
			u.Reset()
			s = e
			continue
		}
		u.out.reset()
		for k, c := range text[s:e] {
			u.out.add(u.how.letter(c), k, 1)
		}
		return s - i, e - s, nil
	}
}

func nextWord(text []byte, s int) int {
	for s < len(text) && letters[text[s]] == 0 {
		s++
	}
	return s
}

func wordEnd(text []byte, s int) int {
	e := s
	for e < len(text) && e-s < maxLetters && letters[text[e]] != 0 {
		e++
	}
	return e
}

// ends reports whether the turned text ends before a word: it and those before it
// are better as they stand.
func (u *Turner) ends(w []byte) bool {
	u.doubt = max(0, u.doubt+read(w, straight).sum-read(w, u.how).sum)
	return u.doubt > longDoubt
}

// turnBack undoes the text that runs backwards, from its start up to where it ends.
// It returns its length, 0 if that is not known yet.
func (u *Turner) turnBack(text []byte, final bool) int {
	end := 0
	u.doubt = 0
	for {
		s := nextWord(text, end)
		e := wordEnd(text, s)
		if e == len(text) && !final && e <= maxBack {
			return 0
		}
		// The words that make sure that it has ended come with it: the one
		// before them may fit both ways.
		if s == len(text) || e > maxBack || u.ends(text[s:e]) {
			break
		}
		end = e
	}
	end = max(end, wordEnd(text, 0))
	u.out.reset()
	// Once as a whole, and once word by word: either may have been done.
	for i, c := range text[:end] {
		u.out.add(c, i, 1)
	}
	reverse(u.out.Bytes)
	slices.Reverse(u.out.At)
	u.out.add('\n', 0, end)
	for s := 0; s < end; {
		e := min(max(wordEnd(text, s), s+1), end)
		for k := e - 1; k >= s; k-- {
			u.out.add(text[k], k, 1)
		}
		s = e
	}
	u.out.Backwards = true
	u.Reset()
	return end
}
