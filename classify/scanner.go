package classify

import (
	"cmp"
	"context"
	"slices"
	"unicode/utf8"
)

// patternScanner reads one part. Positions are of the normalised text, but for
// those of matches and of what is cleared.
type patternScanner struct {
	p       *Patterns
	f       folder
	scanned int64 // the first stage has seen the text up to here
	live    []candidate
	cleared int64 // in source bytes
	tails   []tail
	// collects: the literals of rules are wanted, which hits then has until it
	// is emptied.
	collects bool
	hits     []hit
}

// tail is a word that begins as a stem says, of which n bytes have been read.
type tail struct {
	start  int64
	n      int
	phrase int
}

// candidate is a place where phrases from lo up to hi may stand: their first n
// bytes do.
type candidate struct {
	start     int64
	lo, hi, n int
	// ended is a phrase that stands there if no word goes on behind it, which
	// the next character will tell; -1 if there is none.
	ended int
}

func (s *patternScanner) Write(ctx context.Context, text []byte, dst []Match) ([]Match, int64, error) {
	for {
		// Large texts take their time, and whoever waits may have gone.
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		if len(text) == 0 {
			return dst, s.cleared, nil
		}
		n := min(len(text), atOnce)
		s.f.write(text[:n])
		dst = s.scan(dst, false)
		text = text[n:]
	}
}

// atOnce bounds how much text is folded before it is scanned and let go of. Some
// characters fold into many, and each that is not ASCII is remembered.
const atOnce = 16 << 10

func (s *patternScanner) Settle(ctx context.Context, dst []Match) ([]Match, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	first := len(dst)
	kept := s.live[:0]
	for _, c := range s.live {
		if c.ended >= 0 {
			dst = s.report(&c, s.f.out[c.start-s.f.base:][:c.n], nil, dst)
		}
		if c.lo < c.hi {
			kept = append(kept, c)
		}
	}
	s.live = kept
	s.followTails(true)
	byPlace(dst[first:])
	s.cleared = s.f.src + int64(s.f.carried)
	return dst, nil
}

func (s *patternScanner) Close(ctx context.Context, dst []Match) ([]Match, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.f.close()
	dst = s.scan(dst, true)
	s.f.reset()
	*s = patternScanner{p: s.p, f: s.f, live: s.live[:0], tails: s.tails[:0], collects: s.collects, hits: s.hits}
	return dst, nil
}

// scan reads the text that the folder has added.
func (s *patternScanner) scan(dst []Match, final bool) []Match {
	end := s.f.end()
	for s.scanned < end {
		next := min(s.scanned+block, end)
		s.find(next)
		s.scanned = next
	}
	first := len(dst)
	kept := s.live[:0]
	for _, c := range s.live {
		if dst = s.follow(&c, dst, final); c.lo < c.hi || c.ended >= 0 {
			kept = append(kept, c)
		}
	}
	s.live = kept
	s.followTails(final)
	byPlace(dst[first:])
	if !final {
		s.clear(end)
	}
	return dst
}

func byPlace(matches []Match) {
	slices.SortFunc(matches, func(a, b Match) int {
		return cmp.Or(cmp.Compare(a.End, b.End), cmp.Compare(a.Start, b.Start))
	})
}

// block bounds how much text the first stage looks at in one go, and so the
// cost of locating in it all the beginnings that a hostile text may hold.
const block = 1 << 10

// find runs the first stage over the text up to end and makes candidates of
// the beginnings that end in what it had not seen.
func (s *patternScanner) find(end int64) {
	from := max(s.scanned-(maxPrefix-1), s.f.base)
	text := s.f.out[from-s.f.base : end-s.f.base]
	if !s.p.heads.useful {
		s.findAll(from, text)
		return
	}
	inWord := false // the byte before is of a word, and of ASCII
	for i := 0; i+maxHead <= len(text); i++ {
		word := wordRune(rune(text[i])) && text[i] < utf8.RuneSelf
		inside := word && inWord
		inWord = word
		if inside || !s.p.heads.has(text[i:]) {
			continue
		}
		if start := from + int64(i); s.startsWord(start) {
			s.findAt(start, text[i:min(i+maxPrefix, len(text))])
		}
	}
}

// findAll makes candidates of the beginnings anywhere in text, which starts at
// from.
func (s *patternScanner) findAll(from int64, text []byte) {
	if !s.p.matcher.Contains(text) {
		return
	}
	for i := range text {
		if s.p.starts[text[i]] && s.startsWord(from+int64(i)) {
			if pre := s.p.beginning(text[i:]); pre != nil {
				s.begin(from+int64(i), pre)
			}
		}
	}
}

// findAt makes a candidate of the beginning that text, at start, begins with.
// The automaton says that there is one, and the sorted list which: asking the
// automaton for that, too, would allocate.
func (s *patternScanner) findAt(start int64, text []byte) {
	if !s.p.matcher.Contains(text) {
		return
	}
	if pre := s.p.beginning(text); pre != nil {
		s.begin(start, pre)
	}
}

// begin makes a candidate of a beginning, if it ends in what had not been seen.
func (s *patternScanner) begin(start int64, pre *prefix) {
	if start+int64(len(pre.text)) > s.scanned {
		s.live = append(s.live, candidate{start, pre.lo, pre.hi, len(pre.text), -1})
	}
}

// follow takes a candidate as far as the text goes.
func (s *patternScanner) follow(c *candidate, dst []Match, final bool) []Match {
	text := s.f.out[c.start-s.f.base:]
	for {
		// A phrase that is complete sorts before those that it begins.
		if c.lo < c.hi && len(s.p.phrases[c.lo].text) == c.n {
			c.ended = c.lo
			c.lo++
			if s.collects && s.p.phrases[c.ended].stem >= 0 {
				s.tails = append(s.tails, tail{c.start, c.n, c.ended})
			}
		}
		rest := text[c.n:]
		if c.ended >= 0 {
			if !final && len(rest) == 0 {
				return dst
			}
			dst = s.report(c, text[:c.n], rest, dst)
		}
		if c.lo == c.hi || len(rest) == 0 {
			break
		}
		c.lo, c.hi = s.p.narrow(c.lo, c.hi, c.n, rest[0])
		c.n++
	}
	if final {
		c.lo = c.hi
	}
	return dst
}

// report reports the phrase that has ended if it ends with a word.
func (s *patternScanner) report(c *candidate, text, rest []byte, dst []Match) []Match {
	ended := &s.p.phrases[c.ended]
	c.ended = -1
	if len(rest) > 0 {
		a, _ := utf8.DecodeLastRune(text)
		b, _ := utf8.DecodeRune(rest)
		if within(a, b) {
			return dst
		}
	}
	from, to := s.f.source(c.start, c.start+int64(len(text)))
	for _, f := range ended.findings {
		dst = append(dst, Match{Finding: f, Start: from, End: to})
	}
	if s.collects && ended.whole >= 0 {
		s.hits = append(s.hits, hit{from, to, ended.whole})
	}
	return dst
}

// maxTail bounds what is read of a word behind its stem, in bytes.
const maxTail = 48

// followTails takes words that begin with a stem to their ends.
func (s *patternScanner) followTails(final bool) {
	kept := s.tails[:0]
	for _, t := range s.tails {
		stem := &s.p.phrases[t.phrase]
		text := s.f.out[t.start-s.f.base:]
		for {
			if t.n == len(text) && !final {
				kept = append(kept, t)
				break
			}
			b, size := utf8.DecodeRune(text[t.n:])
			a, _ := utf8.DecodeLastRune(text[:t.n])
			if size == 0 || !within(a, b) || t.n > len(stem.text)+maxTail {
				from, to := s.f.source(t.start, t.start+int64(t.n))
				s.hits = append(s.hits, hit{from, to, stem.stem})
				break
			}
			t.n += size
		}
	}
	s.tails = kept
}

// clear moves the cleared position up to the oldest match that is still
// possible and forgets the text before it.
func (s *patternScanner) clear(end int64) {
	alive := end
	for _, c := range s.live {
		alive = min(alive, c.start)
	}
	for _, t := range s.tails {
		alive = min(alive, t.start)
	}
	// Beginnings that are too short for the first stage.
	for start := max(end-(maxPrefix-1), s.f.base); start < alive; start++ {
		if text := s.f.out[start-s.f.base:]; s.startsWord(start) && s.p.beginsPrefix(text) {
			alive = start
		}
	}
	cleared := s.f.src
	if alive < end {
		cleared, _ = s.f.source(alive, alive)
	}
	s.cleared = max(s.cleared, cleared) // it may have been settled
	// The first stage looks back, and a word's start needs the character
	// before it.
	if keep := min(alive, end-(maxPrefix-1)) - utf8.UTFMax; keep > s.f.base+forgetAt {
		s.f.forget(keep)
	}
}

// forgetAt is how much text is kept before moving the rest to the front.
const forgetAt = 256

// startsWord reports whether a match may start at a position.
func (s *patternScanner) startsWord(pos int64) bool {
	i := int(pos - s.f.base)
	if i == 0 {
		return true // of the part: clear keeps the character before
	}
	b, _ := utf8.DecodeRune(s.f.out[i:])
	a, _ := utf8.DecodeLastRune(s.f.out[:i])
	return !within(a, b)
}
