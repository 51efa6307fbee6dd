package inspect

import (
	"bytes"

	"github.com/difflabai/confidential-safety/decode"
)

// Budget is what all directions together may hold, in bytes. It is safe for
// concurrent use.
type Budget interface {
	// Take reports whether n more may be held. If not, nothing was taken.
	Take(n int) bool
	// Give takes back n of those that were taken.
	Give(n int)
}

// What reading takes beside the bytes themselves, in bytes of memory. These are
// sizes of structures with their share of the slices that hold them. Without
// them a body of a million empty strings would weigh as much as one of prose.
const (
	eventCost  = 320
	pieceCost  = 144
	partCost   = 1 << 10
	quoteCost  = pieceCost / 2 // a string has two
	maxStrings = 8             // of one event, as a multiple of Limits.Places; see decode
)

// block is the unit in which a direction takes from its budget, so that a token
// rarely has anything to take.
const block = 4 << 10

// load is what a direction has taken from its budget.
type load struct {
	budget  Budget // nil: nothing bounds it
	taken   int
	pending int // bytes read of an event that is not complete
	quotes  int // among those
}

// read takes note of bytes that the reader is about to get.
func (l *load) read(p []byte) {
	if l.budget == nil {
		return
	}
	l.pending += len(p)
	l.quotes += bytes.Count(p, quote)
}

var quote = []byte{'"'}

// complete takes note of an event that the reader has made of them.
func (l *load) complete(ev *decode.Event) {
	l.pending = max(0, l.pending-len(ev.Raw))
	l.quotes = min(l.quotes, l.pending)
}

// settleLoad takes or gives back so that the direction has taken what it holds. It
// reports whether that may be.
func (d *Direction) settleLoad() bool {
	l := &d.load
	if l.budget == nil {
		return true
	}
	strings := min(l.quotes, 2*maxStrings*d.in.limits.Decode.Places)
	held := l.pending + strings*quoteCost + d.queue.weight + len(d.out) + len(d.parts)*partCost
	want := max(1, (held+block-1)/block) * block
	switch {
	case want < l.taken:
		l.budget.Give(l.taken - want)
	case want > l.taken && !l.budget.Take(want-l.taken):
		return false
	}
	l.taken = want
	return true
}

// Close gives back what the direction has taken from its budget. It must be
// called when the direction and what it released are no longer needed, and
// nothing else after it. A second call does nothing.
func (d *Direction) Close() {
	if d == nil {
		return
	}
	if d.failed == nil {
		d.failed = errOver
	}
	if l := &d.load; l.taken > 0 {
		l.budget.Give(l.taken)
		l.budget, l.taken = nil, 0
	}
	d.forget()
	d.out = nil
}

// forget lets go of all that refers to a body but what was released, whatever
// still refers to the direction.
func (d *Direction) forget() {
	d.reader, d.parts, d.events, d.behind, d.queue = nil, nil, nil, nil, queue{}
	d.single, d.matches, d.edits, d.other = nil, nil, nil, part{}
}

// What a direction keeps to use again, at the most, since the budget knows
// nothing of it.
const (
	keptBytes = 64 << 10
	keptItems = 64
)

// emptied returns a slice for use again, which refers to nothing any more.
func emptied[T any](s []T) []T {
	if cap(s) > keptItems {
		return nil
	}
	clear(s)
	return s[:0]
}

// weigh is what a queued event takes.
func weigh(ev *decode.Event) int { return len(ev.Raw) + eventCost + len(ev.Pieces)*pieceCost }
