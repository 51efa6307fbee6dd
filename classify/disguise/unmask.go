package disguise

import "errors"

// depth is how many encodings may lie in one another.
const depth = 3

// ErrTooDeep says that more encodings lie in one another than are undone. Nobody
// can say then what the text says.
var ErrTooDeep = errors.New("text is encoded more often than 3 times: it cannot be judged")

// Unmasker undoes encodings, escapes, look-alikes, and what was done to the
// letters of words. One goroutine owns it.
type Unmasker struct {
	levels [depth + 1]level
	turns  turns
}

// level is scratch for one depth of encodings.
type level struct {
	out Text // what the stretch stands for
	raw Text // what it decodes to, before that is looked at itself
	// odd is not 0 where letters of the last words were replaced: so a number
	// beside them may be a word.
	odd int
	// alike is the same for look-alikes.
	alike int
}

// reset forgets the last words.
func (l *level) reset() { l.odd, l.alike = 0, 0 }

// pass counts a word that was not disguised.
func (l *level) pass() {
	if l.odd|l.alike != 0 {
		l.odd, l.alike = max(l.odd-1, 0), max(l.alike-1, 0)
	}
}

// oddWords is for how many words that is remembered.
const oddWords = 3

// Reset makes the unmasker ready for another text.
func (u *Unmasker) Reset() { u.levels[0].reset() }

// Text is what the last stretch stands for. It is valid until the next call.
func (u *Unmasker) Text() *Text { return &u.levels[0].out }

// Beginning returns how much of what is not decided need not wait for it: the
// beginning of a word, in which nothing can be undone as yet.
func (u *Unmasker) Beginning(pending []byte) int {
	n := 0
	for n < len(pending) && (kinds[pending[n]] == lower || n == 0 && kinds[pending[n]] == upper) {
		n++
	}
	rest := pending[n:]
	if n == 0 || n >= longWord || len(rest) > 1 || len(rest) == 1 && rest[0] != ' ' {
		return 0
	}
	return len(pending)
}

// Next reads the text from i on, before which all is decided. It returns how many
// bytes are as they look, and how many behind them stand for [Unmasker.Text]. If
// there are none, what follows the plain ones is not decided yet, for want of
// text, which is never more than a few times MaxRun and nothing if the text is
// final.
func (u *Unmasker) Next(text []byte, i int, final bool) (plain, n int, err error) {
	return u.next(0, text, i, final)
}

func (u *Unmasker) next(deep int, text []byte, i int, final bool) (plain, n int, err error) {
	for s := i; ; {
		if s = skip(text, s); s == len(text) {
			return s - i, 0, nil
		}
		e, first, rest := token(text, s)
		whole := final || e < len(text)
		if whole && (ordinary(text, s, e, first, rest) || article(text, s, e)) {
			u.levels[deep].pass()
			s = e
			continue
		}
		if !whole && e-s < MaxRun {
			return s - i, 0, nil
		}
		e = cut(text, s, e)
		switch n, err := u.undo(deep, text, s, e, first|rest, final); {
		case err != nil:
			return 0, 0, err
		case n < 0:
			return s - i, 0, nil
		case n > 0:
			return s - i, n, nil
		}
		s = e
	}
}

// undo undoes what starts at the token from s up to e. It returns how many bytes
// that is: 0 if there is nothing to undo, and less if more text is needed.
func (u *Unmasker) undo(deep int, text []byte, s, e int, has uint8, final bool) (int, error) {
	l := &u.levels[deep]
	l.out.reset()
	l.raw.reset()
	for _, m := range several {
		n := m.match(text, s, e, final, &l.raw)
		if n == 0 || n < 0 && final {
			continue
		}
		if n < 0 {
			return n, nil
		}
		if !m.encodes {
			l.out, l.raw = l.raw, l.out
			return n, nil
		}
		return n, u.inner(deep, &l.raw, &l.out)
	}
	if text[e-1] == '=' && !u.endsRun(text[s:e], &l.raw) {
		switch n := softBreak(text, s, e, final, &l.raw); {
		case n < 0 && !final:
			return n, nil
		case n > 0:
			return n, u.whole(deep, &l.raw, &l.out)
		}
	}
	l.raw.reset()
	if l.odd == 0 && has&digit != 0 && e-s < longWord || has&sign != 0 && e-s <= maxLeetNumber {
		switch among := beside(text, e, final); {
		case among < 0:
			return among, nil
		case among > 0:
			l.odd = 1
		}
	}
	if l.odd > 0 && e-s <= maxLeetNumber && has&^(digit|sign) == 0 {
		l.out.keep(text[s:e], 0)
		leetAll(&l.out, 0, e-s)
		return e - s, nil
	}
	changed, err := u.within(deep, text[s:e], has)
	if !changed || err != nil {
		l.pass()
		return 0, err
	}
	if has&(digit|sign) != 0 {
		l.odd = oddWords
	}
	if has&high != 0 {
		l.alike = oddWords
	}
	return e - s, nil
}
