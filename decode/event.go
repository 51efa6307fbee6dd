package decode

import (
	"cmp"
	"log/slog"
	"slices"
)

// Event is one unit of a body that is passed on or withheld as a whole: the
// whole of a JSON body, or one server-sent event with the blank line behind it.
type Event struct {
	Raw    []byte
	Pieces []Piece

	shadows  []span  // values that repeat the text in another form
	envelope [4]span // where the values of id, created, model and sequence_number are, if they are
	typ      []byte  // of the object, where events have types
	typed    bool    // they have, and there is an object
	open     []int32 // choices that the event has something of
	closed   []int32 // choices that it ends
	done     bool    // it is the end mark of a stream
	arena    []byte  // decoded text of strings with escapes
}

type span struct{ start, end int }

// envelopeSequence is the place of sequence_number in an envelope.
const envelopeSequence = 3

// LogValue keeps content out of logs.
func (Event) LogValue() slog.Value { return slog.StringValue("[event]") }

// Words reports whether the event holds any words of the model: it is false
// for a delta that only names a role, for comments and for the end mark.
func (e *Event) Words() bool {
	for i := range e.Pieces {
		if p := &e.Pieces[i]; p.Place.Kind != Other && p.Place.Kind != Aside && len(p.Text) > 0 {
			return true
		}
	}
	return false
}

// Finished returns the choices that the event ends. It is valid until the event is
// freed.
func (e *Event) Finished() []int32 { return e.closed }

// Choices returns the choices that the event has something of. It is valid until
// the event is freed.
func (e *Event) Choices() []int32 { return e.open }

// Done reports whether the event is the end mark of a stream.
func (e *Event) Done() bool { return e.done }

// Edit replaces the bytes From:To of a piece's text. A boundary within a rune
// takes in the whole of it.
//
// Where edits overlap in their source (the two readings of one text), all of
// the source goes and the first one's Insert stands for it.
type Edit struct {
	Piece    int // index in Pieces
	From, To int // in bytes of the piece's text
	// Insert is put there. It must need no escaping in a JSON string.
	Insert string
}

// Render appends the event's bytes with the edits carried out. With
// dropShadows, values that repeat the text in another form (logprobs, token
// ids) become null.
func (e *Event) Render(dst []byte, edits []Edit, dropShadows bool) []byte {
	if len(edits) == 0 && !dropShadows {
		return append(dst, e.Raw...)
	}
	type cut struct {
		span
		insert string
	}
	cuts := make([]cut, 0, len(edits)+len(e.shadows))
	var c cursor
	for _, ed := range edits {
		p := &e.Pieces[ed.Piece]
		from, to := p.within(ed.From, ed.To)
		start := c.source(p, e.Raw, from)
		cuts = append(cuts, cut{span{start, c.source(p, e.Raw, to)}, ed.Insert})
	}
	if dropShadows {
		for _, s := range e.shadows {
			cuts = append(cuts, cut{s, "null"})
		}
	}
	slices.SortStableFunc(cuts, func(a, b cut) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end))
	})
	at := 0
	for _, c := range cuts {
		if c.start >= at {
			dst = append(dst, e.Raw[at:c.start]...)
			dst = append(dst, c.insert...)
		}
		at = max(at, c.end) // overlaps are dropped once
	}
	return append(dst, e.Raw[at:]...)
}

// reset empties the event for use by another.
func (e *Event) reset() {
	clear(e.Pieces) // let go of texts
	*e = Event{
		Raw: e.Raw[:0], Pieces: e.Pieces[:0], shadows: e.shadows[:0],
		open: e.open[:0], closed: e.closed[:0], arena: e.arena[:0], typ: e.typ[:0],
	}
}

// events hands out events and takes them back.
type events struct{ free []*Event }

func (s *events) get() *Event {
	if n := len(s.free); n > 0 {
		e := s.free[n-1]
		s.free = s.free[:n-1]
		return e
	}
	return new(Event)
}

// keptFree is how many free events a reader holds on to, and keptBytes how
// large they may be: enough for a steady stream, little for an idle one.
const (
	keptFree   = 16
	keptBytes  = 8 << 10
	keptPieces = 256
)

// keptBuffer is how large a buffer may be that a stream uses again.
const keptBuffer = 64 << 10

// emptied returns a buffer for use again, or nil if it is too large to be kept.
func emptied(b []byte) []byte {
	if cap(b) > keptBuffer {
		return nil
	}
	return b[:0]
}

func (s *events) Free(e *Event) {
	if len(s.free) >= keptFree || cap(e.Raw)+cap(e.arena) > keptBytes || cap(e.Pieces) > keptPieces {
		return
	}
	e.reset()
	s.free = append(s.free, e)
}
