package inspect

import (
	"slices"
	"sort"

	"github.com/difflabai/confidential-safety/decode"
)

// held is an event that waits for its text to be cleared.
type held struct {
	ev   *decode.Event
	n    uint64 // its number
	last bool   // but for others without words, it may be
	refs []ref  // of the event's pieces, by index
}

// ref says where a piece stands in its part; part is nil where a piece that is
// a part by itself holds nothing to redact.
type ref struct {
	part       *part
	after      int64 // where the piece before it ends: a line break may come between
	start, end int64
}

// cleared reports whether nothing in the event can still become part of a
// finding.
func (h *held) cleared() bool {
	for i := range h.refs {
		if r := &h.refs[i]; r.part != nil && r.part.cleared < r.end {
			return false
		}
	}
	return true
}

// edits appends what is to be redacted in the event. A cut over several pieces
// leaves its mark in the first.
func (h *held) edits(dst []decode.Edit) []decode.Edit {
	for i := range h.refs {
		r := &h.refs[i]
		if r.part == nil {
			continue
		}
		cuts := r.part.cuts
		first := sort.Search(len(cuts), func(i int) bool { return cuts[i].end > r.start })
		for _, c := range cuts[first:] {
			if c.start >= r.end {
				break
			}
			e := decode.Edit{
				Piece: i,
				From:  int(max(c.start, r.start) - r.start),
				To:    int(min(c.end, r.end) - r.start),
			}
			if c.start >= r.after {
				e.Insert = redaction
			}
			dst = append(dst, e)
		}
	}
	return dst
}

// passed notes in the parts that the event has been released.
func (h *held) passed() {
	for i := range h.refs {
		r := &h.refs[i]
		if r.part == nil {
			continue
		}
		r.part.released = max(r.part.released, r.end)
		cuts := r.part.cuts
		for len(cuts) > 0 && cuts[0].end <= r.part.released {
			cuts = cuts[1:]
		}
		if len(cuts) == 0 {
			cuts = nil
		}
		r.part.cuts = cuts
	}
}

// queue holds the events of a body in order. What is popped is used again, unless
// there is much of it.
type queue struct {
	items []held
	first int
	bytes int // of the events that are held
	// weight is what they take, see weigh.
	weight int
}

func (q *queue) push(ev *decode.Event) *held {
	if len(q.items) == cap(q.items) && q.first > len(q.items)/2 {
		// Use the room in front; the popped items' memory goes behind.
		n := 0
		for i := q.first; i < len(q.items); i++ {
			q.items[n], q.items[i] = q.items[i], q.items[n]
			n++
		}
		q.items, q.first = q.items[:n], 0
	}
	if len(q.items) < cap(q.items) {
		q.items = q.items[:len(q.items)+1]
	} else {
		q.items = append(q.items, held{})
	}
	h := &q.items[len(q.items)-1]
	h.ev, h.refs = ev, slices.Grow(h.refs[:0], len(ev.Pieces))
	q.bytes += len(ev.Raw)
	q.weight += weigh(ev)
	return h
}

func (q *queue) head() *held {
	if q.first == len(q.items) {
		return nil
	}
	return &q.items[q.first]
}

func (q *queue) pop() {
	h := &q.items[q.first]
	q.bytes -= len(h.ev.Raw)
	q.weight -= weigh(h.ev)
	h.ev = nil
	clear(h.refs)
	if q.first++; q.first < len(q.items) {
		return
	}
	if q.items, q.first = q.items[:0], 0; cap(q.items) > keptItems {
		q.items = nil
	}
}
