package classify

import (
	"cmp"
	"math"
	"slices"
)

// hit is a literal at its place in the source.
type hit struct {
	start, end int64
	literal    int32
}

// span is where something stands, in bytes of the source and in characters.
type span struct {
	start, end int64
	at, to     int64
}

// ruleScanner meets rules in one part. It knows nothing of how literals are
// found: it takes the hits, of however many readings of the text, and judges
// them in the order of their places in the source. So it comes to the same
// however the text is split.
//
// A rule is met where the last word of each of its groups, and the word at hand,
// span few enough characters. One without unless is told at once. One with it
// waits for as many characters as words may be apart, or for the end of the text,
// since what voids it may follow; its words are held back until then. A rule that
// was told is told again no sooner than that many characters on, with all that
// has met it meanwhile as one.
type ruleScanner struct {
	s       *signatures
	stage   int
	ruler   ruler
	pending []hit // that may still be preceded by others
	// live holds the rules of which something stands near enough to count, at
	// the places that index says, from 1.
	live  []liveRule
	index []int32
}

// liveRule is the state of a rule: the last place of each of its groups. Of the
// groups in order, a place starts where the first of them does.
type liveRule struct {
	rule  int32
	has   uint16 // which slots are filled
	slots [maxSlots]span
	// met is told when no more than due characters can come before what follows.
	waits bool
	met   span
	due   int64
	quiet int64 // told before: not again up to here
}

// take judges the hits that were found. No later hit starts before certain, a
// position in the source; the text before it has been read.
func (s *ruleScanner) take(hits []hit, certain int64, dst []Match) []Match {
	s.pending = append(s.pending, hits...)
	if len(s.pending) > 0 {
		slices.SortFunc(s.pending, func(a, b hit) int {
			return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end), cmp.Compare(a.literal, b.literal))
		})
		n := 0
		for n < len(s.pending) && s.pending[n].start < certain {
			// Two readings may have found the same.
			if n == 0 || s.pending[n] != s.pending[n-1] {
				dst = s.judge(s.pending[n], dst)
			}
			n++
		}
		s.pending = s.pending[:copy(s.pending, s.pending[n:])]
	}
	if len(s.live) > 0 {
		dst = s.expire(s.ruler.at(certain), dst)
	}
	s.ruler.forget(certain)
	return dst
}

// judge has a hit count wherever its literal does.
func (s *ruleScanner) judge(h hit, dst []Match) []Match {
	sp := span{h.start, h.end, s.ruler.at(h.start), s.ruler.at(h.end)}
	for _, u := range s.s.uses[s.stage][h.literal] {
		r := &s.s.rules[u.rule]
		l := s.state(u.rule)
		if l.waits && l.due < sp.at {
			dst = s.tell(r, l, dst)
		}
		l.fill(r, int(u.slot), sp)
		if l.waits && !r.voids && l.quiet < sp.at {
			dst = s.tell(r, l, dst)
		}
	}
	return dst
}

// state returns the state of a rule, a new one if it has none.
func (s *ruleScanner) state(rule int32) *liveRule {
	if s.index == nil {
		s.index = make([]int32, len(s.s.rules))
	}
	i := s.index[rule]
	if i == 0 {
		s.live = append(s.live, liveRule{rule: rule, quiet: math.MinInt64})
		i = int32(len(s.live)) //nolint:gosec // no more than there are rules
		s.index[rule] = i
	}
	return &s.live[i-1]
}

// fill puts a place into a slot and sees whether the rule is met by it.
func (l *liveRule) fill(r *compiledRule, slot int, sp span) {
	switch {
	case slot < r.ordered:
		if slot > 0 {
			before := l.slots[slot-1]
			if l.has&(1<<(slot-1)) == 0 || before.end > sp.start {
				return
			}
			sp.start, sp.at = before.start, before.at
		}
	case slot == r.groups: // what voids it
		if l.waits && sp.at <= l.met.to+r.near {
			l.waits = false
		}
	}
	l.slots[slot] = sp
	l.has |= 1 << slot
	if slot >= r.groups || slot < r.ordered-1 {
		return
	}
	met := sp
	for i := max(r.ordered-1, 0); i < r.groups; i++ {
		if l.has&(1<<i) == 0 {
			return
		}
		g := &l.slots[i]
		met = span{min(met.start, g.start), max(met.end, g.end), min(met.at, g.at), max(met.to, g.to)}
	}
	if met.to-met.at > r.near || r.voids && l.near(r, r.groups, met) {
		return
	}
	if l.waits {
		l.met = span{min(met.start, l.met.start), max(met.end, l.met.end), min(met.at, l.met.at), max(met.to, l.met.to)}
		return
	}
	l.waits, l.met, l.due = true, met, l.quiet
	if r.voids {
		l.due = max(l.due, met.to+r.near)
	}
}

// near reports whether a slot is filled within the rule's distance.
func (l *liveRule) near(r *compiledRule, slot int, met span) bool {
	g := &l.slots[slot]
	return l.has&(1<<slot) != 0 && g.at <= met.to+r.near && g.to >= met.at-r.near
}

// tell reports that a rule was met.
func (s *ruleScanner) tell(r *compiledRule, l *liveRule, dst []Match) []Match {
	f := r.finding
	for i := range r.weights {
		if l.near(r, r.groups+1+i, l.met) {
			f.Confidence += r.by[i]
		}
	}
	f.Confidence = min(rounded(f.Confidence), maxConfidence)
	l.waits, l.quiet = false, l.met.to+r.near
	return append(dst, Match{Finding: f, Start: l.met.start, End: l.met.end})
}

// expire tells what is due when all that follows stands at or behind a place, in
// characters, and lets go of what can no longer count.
func (s *ruleScanner) expire(now int64, dst []Match) []Match {
	for i := 0; i < len(s.live); {
		l := &s.live[i]
		r := &s.s.rules[l.rule]
		if l.waits && l.due < now {
			dst = s.tell(r, l, dst)
		}
		if l.waits || l.counts(r, now) {
			i++
			continue
		}
		s.index[l.rule] = 0
		last := len(s.live) - 1
		if i < last {
			*l = s.live[last]
			s.index[l.rule] = int32(i) + 1
		}
		s.live = s.live[:last]
	}
	return dst
}

// counts reports whether anything of the rule may still count for what follows.
func (l *liveRule) counts(r *compiledRule, now int64) bool {
	if l.quiet >= now {
		return true
	}
	for i := range r.groups + 1 + r.weights {
		if l.has&(1<<i) != 0 && l.slots[i].to+r.near >= now {
			return true
		}
	}
	return false
}

// held returns the first position, up to end, of what may still become part of
// a match.
func (s *ruleScanner) held(end int64) int64 {
	now := s.ruler.at(end)
	for _, h := range s.pending {
		end = min(end, h.start)
	}
	for i := range s.live {
		l := &s.live[i]
		r := &s.s.rules[l.rule]
		if l.waits {
			end = min(end, l.met.start)
		}
		for g := range r.groups {
			// What completes it ends behind now.
			if l.has&(1<<g) != 0 && l.slots[g].at+r.near > now {
				end = min(end, l.slots[g].start)
			}
		}
	}
	return end
}

// finish judges all that was found, as if the text ended here.
func (s *ruleScanner) finish(hits []hit, dst []Match) []Match {
	dst = s.take(hits, math.MaxInt64, dst)
	for i := range s.live {
		if l := &s.live[i]; l.waits {
			dst = s.tell(&s.s.rules[l.rule], l, dst)
		}
	}
	return dst
}

// reset makes the scanner ready for another part.
func (s *ruleScanner) reset() {
	for i := range s.live {
		s.index[s.live[i].rule] = 0
	}
	s.ruler.reset()
	s.live, s.pending = s.live[:0], s.pending[:0]
}
