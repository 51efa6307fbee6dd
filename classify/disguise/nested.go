package disguise

// matcher undoes what may go over several tokens.
type matcher struct {
	match   func(text []byte, s, e int, final bool, out *Text) int
	encodes bool // so there may be more below it
}

var several = []matcher{
	{spaced, false},
	{codes, true},
	{morse, true},
	{uuencoded, true},
}

// within undoes what is in one token.
func (u *Unmasker) within(deep int, t []byte, has uint8) (changed bool, err error) {
	l := &u.levels[deep]
	if has&(mark|joint|sign|code) != 0 && ascii85(t, &l.raw) {
		return true, u.inner(deep, &l.raw, &l.out)
	}
	if has&code != 0 && escapes(t, &l.raw) {
		u.turns.undo(&l.raw)
		return true, u.whole(deep, &l.raw, &l.out)
	}
	if has&high != 0 && hidden(t, &l.raw) {
		return true, u.inner(deep, &l.raw, &l.out)
	}
	for p := 0; p < len(t); {
		n := runLen(t, p)
		if n > 0 {
			l.raw.reset()
			if u.run(t, p, n, &l.raw) {
				if err := u.inner(deep, &l.raw, &l.out); err != nil {
					return true, err
				}
				changed, p = true, p+n
				continue
			}
		}
		n = max(n, 1)
		words, end := false, p
		for end < p+n { // the words of what is no run
			var was bool
			end, was = word(t, end, where{l.odd > 0, l.alike > 0, deep == 0}, &l.out)
			words = words || was
		}
		changed, p = changed || words, end
	}
	return changed, nil
}

// inner undoes what is in a text that was decoded.
func (u *Unmasker) inner(deep int, raw, out *Text) error {
	if deep == depth {
		return ErrTooDeep
	}
	u.turns.undo(raw)
	return u.whole(deep, raw, out)
}

// whole undoes what is in a text that is complete.
func (u *Unmasker) whole(deep int, raw, out *Text) error {
	if deep == depth {
		out.take(raw, 0, len(raw.Bytes))
		return nil
	}
	u.levels[deep+1].reset()
	for i := 0; i < len(raw.Bytes); {
		plain, n, err := u.next(deep+1, raw.Bytes, i, true)
		if err != nil {
			return err
		}
		out.take(raw, i, i+plain)
		i += plain
		if n > 0 {
			out.through(&u.levels[deep+1].out, raw, i)
			i += n
		}
	}
	return nil
}
