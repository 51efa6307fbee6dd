package inspect

import (
	"context"
	"slices"

	"github.com/difflabai/confidential-safety/decode"
)

// settleBehind settles the parts that the event has left behind: those whose
// last words could still become part of a finding, but whose choice has gone on
// to something else (from its reasoning to its answer, say, or from one tool
// call to the next) or is over. Such a part may never grow again, and all that
// follows would be held until the end of the stream.
//
// Nothing gets by in this: what has begun is remembered, and should the part go
// on and complete a finding after all, the stream is blocked there, since what
// has begun can no longer be redacted.
func (d *Direction) settleBehind(ctx context.Context, ev *decode.Event) error {
	if len(d.behind) == 0 {
		return nil
	}
	kept := d.behind[:0]
	for _, p := range d.behind {
		if p.cleared < p.text && d.left(p, ev) {
			if err := d.settle(ctx, p); err != nil || d.blocked() {
				return err
			}
		}
		if p.behind = p.cleared < p.text; p.behind {
			kept = append(kept, p)
		}
	}
	clear(d.behind[len(kept):])
	d.behind = kept
	return nil
}

// patience is for how many events a part is waited for, those of its own choice
// counted several times. Some servers take turns between parts, and most do
// between choices.
const (
	patience = 128
	ownEvent = 8
)

// left reports whether a part's choice has gone on to something else, or has
// ended with the event, or the others have gone on without it for long. What is
// of no choice is left by any event.
func (d *Direction) left(p *part, ev *decode.Event) bool {
	if p.event < d.event {
		own := p.choice < 0 || slices.ContainsFunc(ev.Pieces, func(piece decode.Piece) bool {
			return piece.Place.Kind != decode.Other && piece.Place.A == p.choice && len(piece.Text) > 0
		})
		switch {
		case own:
			p.left += ownEvent
		case ev.Words():
			p.left++
		}
	}
	return p.left >= patience || ev.Done() || slices.Contains(ev.Finished(), p.choice)
}

// settle clears a part's text without waiting for more of it.
func (d *Direction) settle(ctx context.Context, p *part) error {
	matches, err := p.scanner.Settle(ctx, d.matches[:0])
	d.matches = matches
	if err != nil {
		return &Error{Classifier}
	}
	before := p.cleared
	if err := d.note(p, before); err != nil {
		return err
	}
	p.cleared, p.settled = p.text, p.text
	return nil
}
