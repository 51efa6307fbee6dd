package classify

import (
	"cmp"
	"context"
	"slices"

	"github.com/difflabai/confidential-safety/classify/disguise"
	"github.com/difflabai/confidential-safety/verdict"
)

// viewScanner reads one part in all its views and tells what is found as one.
//
// The plain view is written only as far as the others have decided how to read the
// text, but for the beginning of a word, which would make every word wait. So whatever has begun in it is still there, and not cleared, when another
// view turns out to differ from that place on.
type viewScanner struct {
	v     *viewed
	stage verdict.Stage

	plain    Scanner
	unmasker disguise.Unmasker
	turner   disguise.Turner
	unmasked cursor
	turned   cursor
	readings [views - 1]reading

	raw     []byte // the last of the source
	base    int64  // position of raw[0]
	fed     int64  // the plain view has been written up to here
	held    int64  // the plain view clears up to here
	cleared int64
	settled int64
	told    []Match // at a settling, of what was not decided
}

// cursor is how far a view has decided.
type cursor struct {
	view     view
	readings []reading
	at       int64
	tried    int64 // the end of the source when it was last asked
}

// wait reports whether there is too little more to ask again: else a run that comes
// byte by byte would be read from its start for each.
func (c *cursor) wait(taken int64) bool {
	pending := taken - c.at
	return pending > 256 && (taken-c.tried)*8 < pending
}

const (
	// contextBytes is how much of the source comes with what is undone, on both
	// sides: at least 512 characters, which is as far apart as words may meet.
	contextBytes = 2 << 10
	// readAtOnce bounds how much of the source is taken before it is read.
	readAtOnce = 2 << 10
)

func (s *viewScanner) Write(ctx context.Context, text []byte, dst []Match) ([]Match, int64, error) {
	for len(text) > 0 {
		n := min(len(text), readAtOnce)
		s.raw = append(s.raw, text[:n]...)
		text = text[n:]
		var err error
		if dst, err = s.read(ctx, false, dst); err != nil {
			return nil, 0, err
		}
		s.trim()
	}
	return dst, s.cleared, ctx.Err()
}

// read has the views read what has come.
func (s *viewScanner) read(ctx context.Context, final bool, dst []Match) (_ []Match, err error) {
	first := len(dst)
	for _, c := range []*cursor{&s.unmasked, &s.turned} {
		if dst, err = s.advance(ctx, c, final, dst); err != nil {
			return nil, err
		}
	}
	dst = s.news(dst, first)
	s.clamp(dst[first:], s.cleared)
	upto := min(s.loose(&s.unmasked), s.loose(&s.turned))
	if dst, err = s.feed(ctx, upto, dst); err != nil {
		return nil, err
	}
	least := min(s.held, upto)
	for i := range s.readings {
		if r := &s.readings[i]; r.open && !r.clear {
			least = min(least, r.cleared)
		}
	}
	s.cleared = max(s.cleared, least)
	if len(dst)-first > 1 {
		slices.SortStableFunc(dst[first:], byEnd)
	}
	return dst, nil
}

// loose is the place up to which a view lets go of the text.
func (s *viewScanner) loose(c *cursor) int64 {
	return c.at + int64(c.view.Beginning(s.raw[c.at-s.base:]))
}

// clamp takes from matches the beginnings that were let go of, before a place.
func (s *viewScanner) clamp(matches []Match, cleared int64) {
	for i := range matches {
		if m := &matches[i]; m.Start < cleared && m.Start >= s.settled && cleared < s.taken() {
			m.Start, m.End = cleared, max(m.End, cleared+1)
		}
	}
}

func byEnd(a, b Match) int {
	return cmp.Or(cmp.Compare(a.End, b.End), cmp.Compare(a.Start, b.Start), cmp.Compare(a.View, b.View))
}

// decided is the place up to which all views have.
func (s *viewScanner) decided() int64 { return min(s.unmasked.at, s.turned.at) }

// taken is the end of the source so far.
func (s *viewScanner) taken() int64 { return s.base + int64(len(s.raw)) }

// advance takes a view as far as the text goes.
func (s *viewScanner) advance(ctx context.Context, c *cursor, final bool, dst []Match) (_ []Match, err error) {
	if !final && c.wait(s.taken()) {
		return dst, nil
	}
	c.tried = s.taken()
	for {
		plain, n, err := c.view.Next(s.raw, int(c.at-s.base), final)
		if err != nil {
			return nil, err
		}
		for i := range c.readings {
			if r := &c.readings[i]; r.open {
				if dst, err = r.keep(ctx, s.raw[c.at-s.base:][:plain], c.at, dst); err != nil {
					return nil, err
				}
			}
		}
		c.at += int64(plain)
		if n == 0 {
			break
		}
		text := c.view.Text()
		for i := range c.readings {
			r := &c.readings[i]
			if !r.open {
				from := s.contextOf(c.at)
				r.begin(s.raw[from-s.base:c.at-s.base], from)
			}
			if r.open {
				r.undone(text, c.at, n)
			}
		}
		c.at += int64(n)
	}
	for i := range c.readings {
		if dst, err = c.readings[i].scan(ctx, c.at, dst); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// contextOf is where the text begins that comes with what is undone at a place: with
// a word.
func (s *viewScanner) contextOf(at int64) int64 {
	from := max(at-contextBytes, s.base)
	if from == 0 {
		return 0
	}
	for i, c := range s.raw[from-s.base : at-s.base] {
		if asciiFold[c&0x7f] == ' ' && c < 0x80 {
			return from + int64(i)
		}
	}
	return at
}

// feed writes the source up to a place to the plain view.
func (s *viewScanner) feed(ctx context.Context, to int64, dst []Match) (_ []Match, err error) {
	if to <= s.fed {
		return dst, nil
	}
	dst, s.held, err = s.plain.Write(ctx, s.raw[s.fed-s.base:to-s.base], dst)
	s.fed = to
	return dst, err
}

// trim lets go of the source that no view looks back to.
func (s *viewScanner) trim() {
	if drop := s.decided() - contextBytes - s.base; drop > contextBytes {
		s.raw = s.raw[:copy(s.raw, s.raw[drop:])]
		s.base += drop
	}
}

func (s *viewScanner) Close(ctx context.Context, dst []Match) ([]Match, error) {
	before := s.cleared
	dst, err := s.read(ctx, true, dst)
	if err != nil {
		return nil, err
	}
	if dst, err = s.plain.Close(ctx, dst); err != nil {
		return nil, err
	}
	first := len(dst)
	for i := range s.readings {
		if dst, err = s.readings[i].end(ctx, dst); err != nil {
			return nil, err
		}
	}
	dst = s.news(dst, first)
	s.clamp(dst[first:], before)
	s.reset()
	return dst, nil
}

// reset makes the scanner ready for another part.
func (s *viewScanner) reset() {
	s.unmasker.Reset()
	s.turner.Reset()
	s.unmasked.at, s.unmasked.tried, s.turned.at, s.turned.tried = 0, 0, 0, 0
	s.raw, s.base, s.fed, s.held, s.cleared, s.settled, s.told = s.raw[:0], 0, 0, 0, 0, 0, s.told[:0]
}
