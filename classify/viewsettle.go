package classify

import (
	"context"
	"slices"
)

// Settle implements Scanner. What the views have not decided yet is read a second
// time, with the text before it, as if the part ended here.
func (s *viewScanner) Settle(ctx context.Context, dst []Match) (_ []Match, err error) {
	if dst, err = s.feed(ctx, s.taken(), dst); err != nil {
		return nil, err
	}
	if dst, err = s.plain.Settle(ctx, dst); err != nil {
		return nil, err
	}
	first := len(dst)
	for i := range s.readings {
		if dst, err = s.readings[i].settle(ctx, dst); err != nil {
			return nil, err
		}
	}
	dst = s.news(dst, first)
	if at := s.decided(); at < s.taken() && !oneWord(s.raw[at-s.base:]) {
		if dst, err = s.foresee(ctx, at, dst); err != nil {
			return nil, err
		}
	}
	s.held, s.cleared, s.settled = s.taken(), s.taken(), s.taken()
	return dst, nil
}

// oneWord reports whether a text is a short word, in which nothing is undone.
func oneWord(text []byte) bool {
	for _, c := range text {
		if folded := asciiFold[c&0x7f]; c >= 0x80 || folded < 'a' || folded > 'z' {
			return false
		}
	}
	return 1 < len(text) && len(text) < 8
}

// foresee tells what would be found from a place on if the part ended here.
func (s *viewScanner) foresee(ctx context.Context, at int64, dst []Match) (_ []Match, err error) {
	pool := &s.v.probes[stageIndex(s.stage)]
	probe, ok := pool.Get().(*viewScanner)
	if !ok {
		probe = s.v.newScanner(s.stage)
	}
	first := len(dst)
	from := s.contextOf(at)
	if dst, _, err = probe.Write(ctx, s.raw[from-s.base:], dst); err != nil {
		return nil, err
	}
	if dst, err = probe.Close(ctx, dst); err != nil {
		return nil, err
	}
	pool.Put(probe)
	kept := dst[:first]
	for _, m := range dst[first:] {
		m.Start += from
		m.End += from
		if m.View != Plain && m.End > at && !slices.Contains(s.told, m) {
			kept = append(kept, m)
			s.told = append(s.told, m)
		}
	}
	return kept, nil
}

// news drops the matches from first on that were told at a settling, and forgets
// those that cannot come again.
func (s *viewScanner) news(dst []Match, first int) []Match {
	if len(s.told) == 0 || len(dst) == first {
		return dst
	}
	kept := dst[:first]
	for _, m := range dst[first:] {
		if !slices.Contains(s.told, m) {
			kept = append(kept, m)
		}
	}
	s.told = slices.DeleteFunc(s.told, func(m Match) bool { return m.End+2*contextBytes < s.decided() })
	return kept
}
