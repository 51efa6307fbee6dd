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
	limit  int  // of bytes held

	parts   map[decode.Place]*part
	single  classify.Scanner // reads the pieces that are parts by themselves
	events  []*decode.Event  // scratch
	matches []classify.Match // scratch

	queue queue
	out   []byte // released and not yet returned
	// words: an event with words has been released, so the response may
	// start. Until then nothing is returned, so that a block can still be a
	// status of its own.
	words bool
	// shadows: something was redacted, so what repeats the text in another
	// form goes from there on.
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
		var err error
		if d.events, err = d.reader.Feed(p, d.events[:0]); err != nil {
			return err
		}
		if err := d.read(ctx); err != nil || d.whole {
			return err
		}
		return d.release(false)
	})
}

// End says that the body is complete.
func (d *Direction) End(ctx context.Context) (Step, error) {
	s, err := d.step(func() error {
		var err error
		if d.events, err = d.reader.End(d.events[:0]); err != nil {
			return err
		}
		if err := d.read(ctx); err != nil {
			return err
		}
		for _, p := range d.parts {
			if err := d.close(ctx, p); err != nil {
				return err
			}
		}
		d.words = true
		return d.release(true)
	})
	if d.failed == nil {
		d.failed = errOver
	}
	return s, err
}

// step runs one call. After a block or an error there is no other.
func (d *Direction) step(call func() error) (Step, error) {
	if d.failed != nil {
		return Step{}, d.failed
	}
	d.out = d.out[:d.kept()]
	err := call()
	if err != nil {
		d.failed = faultOf(err)
		return Step{}, d.failed
	}
	if d.decision.Action == verdict.Block {
		d.failed = errOver
		return Step{Blocked: true}, nil
	}
	if d.queue.bytes+d.kept() > d.limit {
		d.failed = &Error{HeldTooBig}
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

// Ending appends the bytes that end a started stream with the error object.
func (d *Direction) Ending(dst, object []byte) []byte { return d.reader.Ending(dst, object) }

// read has the new events' text classified and queues the events. It stops at
// a block.
func (d *Direction) read(ctx context.Context) error {
	for _, ev := range d.events {
		h := d.queue.push(ev)
		for i := range ev.Pieces {
			if err := d.scan(ctx, h, &ev.Pieces[i]); err != nil {
				return err
			}
			if d.decision.Action == verdict.Block {
				return nil
			}
		}
	}
	return nil
}

// note weighs what was found in a part.
func (d *Direction) note(p *part) error {
	for _, m := range d.matches {
		if m.Start < p.released || m.End > p.text || m.Start > m.End {
			// A classifier that finds something where it had cleared the text
			// has broken its word: part of it is out already.
			return &Error{Classifier}
		}
		d.raise(m.Finding)
		// The gate's word on this finding alone: only text that is to be
		// redacted in itself is.
		if d.in.policy.Gate(d.stage, []verdict.Finding{m.Finding}).Action == verdict.Redact {
			p.redact(m.Start, m.End)
			d.shadows = true
		}
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
	case !(f.Confidence <= d.best[i].Confidence): // so that NaN reaches the gate
		d.best[i] = f
	default:
		return
	}
	d.decision = d.in.policy.Gate(d.stage, d.best)
}

// release renders the events at the head of the queue that are cleared.
func (d *Direction) release(all bool) error {
	for {
		h := d.queue.head()
		if h == nil || (!all && !h.cleared()) {
			return nil
		}
		edits := h.edits(nil)
		d.out = h.ev.Render(d.out, edits, d.shadows)
		d.reader.Passed(h.ev, len(edits) > 0)
		d.words = d.words || h.ev.Words()
		h.passed()
		d.queue.pop()
		d.reader.Free(h.ev)
	}
}
