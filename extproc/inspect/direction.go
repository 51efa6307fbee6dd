package inspect

import (
	"context"
	"errors"

	"github.com/difflabai/confidential-safety/classify"
	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/verdict"
)

// Direction is one body on its way. One goroutine owns it.
type Direction struct {
	in     *Inspector
	reader decode.Reader
	stage  verdict.Stage
	whole  bool // nothing is released before the end
	json   bool // it is one JSON body
	limit  int  // of bytes held

	parts   map[decode.Place]*part
	single  classify.Scanner // reads the pieces that are parts by themselves
	other   part             // the last of those
	events  []*decode.Event  // scratch
	matches []classify.Match // scratch
	edits   []decode.Edit    // scratch
	event   uint64           // number of the event that is being read
	spoken  uint64           // number of the last event with words
	choices choices
	ended   bool    // the end mark of a stream has been read
	over    bool    // the body is complete
	behind  []*part // of a stream: parts with text that was not cleared
	alone   [1]verdict.Finding

	queue queue
	load  load
	out   []byte // released and not yet returned
	// words: an event with words has been released, so the response may
	// start. Until then nothing is returned, so that a block can still be a
	// status of its own.
	words bool
	// shadows: something was redacted, so what repeats the text in another
	// form goes from that event on, whatever else waits with it.
	shadows bool

	best     []verdict.Finding // the highest of each category so far
	decision verdict.Decision
	failed   error
}

// Step is what a call came to: bytes to send on, which are valid until the
// next call, or a block.
type Step struct {
	Release []byte
	Blocked bool
}

var errOver = errors.New("direction used after its end")

// Write takes the next bytes of the body.
func (d *Direction) Write(ctx context.Context, p []byte) (Step, error) {
	return d.step(func() error {
		if d.ended {
			return nil // what comes behind the end mark goes nowhere
		}
		if d.load.read(p); !d.settleLoad() {
			return &Error{Overloaded}
		}
		var fault error
		d.events, fault = d.reader.Feed(p, d.events[:0])
		if err := d.read(ctx, fault); err != nil || d.whole || d.blocked() {
			return err
		}
		d.release()
		return nil
	})
}

// End says that the body is complete.
func (d *Direction) End(ctx context.Context) (Step, error) {
	s, err := d.step(func() error {
		if err := d.readEnd(ctx); err != nil || d.blocked() {
			return err
		}
		for _, p := range d.parts {
			if err := d.close(ctx, p); err != nil || d.blocked() {
				return err
			}
		}
		d.words, d.over = true, true
		d.release()
		if d.json {
			d.forget() // what it was read from, but for what is released
		}
		return nil
	})
	if d.failed == nil {
		d.failed = errOver
	}
	return s, err
}

// readEnd reads what the end of the body completes.
func (d *Direction) readEnd(ctx context.Context) error {
	if d.ended {
		return nil
	}
	var fault error
	d.events, fault = d.reader.End(d.events[:0])
	return d.read(ctx, fault)
}

// Ended reports whether the end mark of a stream has been read: nothing that
// may follow is sent on, so there is nothing to wait for.
func (d *Direction) Ended() bool { return d.ended }

// step runs one call. After a block or an error there is no other.
func (d *Direction) step(call func() error) (Step, error) {
	if d.failed != nil {
		return Step{}, d.failed
	}
	if d.out = d.out[:d.kept()]; len(d.out) == 0 && cap(d.out) > keptBytes {
		d.out = nil
	}
	err := call()
	d.events = emptied(d.events)
	if err != nil {
		d.failed = faultOf(err)
		return Step{}, d.failed
	}
	if d.blocked() {
		d.failed = errOver
		return Step{Blocked: true}, nil
	}
	if d.queue.bytes+d.kept() > d.limit {
		d.failed = &Error{HeldTooBig}
		return Step{}, d.failed
	}
	if !d.settleLoad() {
		d.failed = &Error{Overloaded}
		return Step{}, d.failed
	}
	if !d.words {
		return Step{}, nil
	}
	return Step{Release: d.out}, nil
}

// kept is how much of out has not been returned yet.
func (d *Direction) kept() int {
	if d.words {
		return 0
	}
	return len(d.out)
}

func faultOf(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Fault(decode.FaultOf(err))}
}

// Decision is the gate's word on all that has been read.
func (d *Direction) Decision() verdict.Decision { return d.decision }

// Ending appends the bytes that end a started stream with the failure. There are
// none of a JSON body, which is sent whole or not at all.
func (d *Direction) Ending(dst []byte, f decode.Failure) []byte {
	if d.reader == nil {
		return nil
	}
	return d.reader.Ending(dst, f)
}

// read has the new events' text classified and queues the events. It stops at
// a block, which comes before the fault that ended the events, if there is one.
func (d *Direction) read(ctx context.Context, fault error) error {
	for _, ev := range d.events {
		d.event++
		d.load.complete(ev)
		h := d.queue.push(ev)
		if h.n, h.last = d.event, d.choices.last(ev); ev.Words() {
			d.spoken = d.event
		}
		for i := range ev.Pieces {
			if err := d.scan(ctx, h, &ev.Pieces[i]); err != nil {
				return err
			}
			if d.blocked() {
				return nil
			}
		}
		if err := d.settleBehind(ctx, ev); err != nil || d.blocked() {
			return err
		}
		if ev.Done() {
			d.ended = true
			return nil
		}
	}
	return fault
}

// blocked reports whether the gate has said so. There is no way back.
func (d *Direction) blocked() bool { return d.decision.Action == verdict.Block }

// note weighs what was found in a part of which the text before cleared was
// cleared already.
func (d *Direction) note(p *part, cleared int64) error {
	for i := range d.matches {
		m := &d.matches[i]
		early := m.Start < 0 || m.Start < cleared && m.Start >= p.settled
		if early || m.End > p.text || m.Start >= m.End {
			// A classifier that finds something where it had cleared the text
			// has broken its word: part of it may be out already.
			return &Error{Classifier}
		}
		// The gate's word on this finding alone: only text that is to be
		// redacted in itself is.
		d.alone[0] = m.Finding
		switch alone := d.in.policy.Gate(d.stage, d.alone[:]); {
		case alone.Category == verdict.Unavailable:
			return &Error{Classifier} // no category or no confidence of ours
		case alone.Action == verdict.Redact && m.Start < p.settled:
			// Its beginning may be out already, so nothing can stand for it.
			d.raise(m.Finding)
			d.decision.Action, d.decision.Category = verdict.Block, m.Category
			return nil
		case alone.Action == verdict.Redact:
			p.redact(m.Start, m.End)
		}
		d.raise(m.Finding)
	}
	return nil
}

// raise keeps the highest confidence in each category and asks the gate again
// if one rose.
func (d *Direction) raise(f verdict.Finding) {
	i := 0
	for i < len(d.best) && d.best[i].Category != f.Category {
		i++
	}
	switch {
	case i == len(d.best):
		d.best = append(d.best, f)
	case f.Confidence > d.best[i].Confidence:
		d.best[i] = f
	default:
		return
	}
	d.decision = d.in.policy.Gate(d.stage, d.best)
}

// release renders the events at the head of the queue that are cleared. What may
// be the end of a stream waits until it is, or until more words follow it: the
// verdict must be on record before a client takes the answer for complete.
func (d *Direction) release() {
	for {
		h := d.queue.head()
		if h == nil || !h.cleared() || h.last && h.n >= d.spoken && !d.over {
			return
		}
		d.edits = h.edits(d.edits[:0])
		d.shadows = d.shadows || len(d.edits) > 0
		if d.json && !d.shadows {
			d.out = h.ev.Raw // there is no other event, and the reader is done with it
		} else {
			d.out = h.ev.Render(d.out, d.edits, d.shadows)
		}
		d.reader.Passed(h.ev, len(d.edits) > 0)
		d.words = d.words || h.ev.Words()
		h.passed()
		ev := h.ev
		d.queue.pop()
		d.reader.Free(ev)
	}
}
