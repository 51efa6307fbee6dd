package inspect

import (
	"context"
	"slices"

	"github.com/difflabai/confidential-safety/classify"
	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/verdict"
)

// part is one run of words on its way through the classifiers. Positions are
// offsets in bytes of its text.
type part struct {
	scanner  classify.Scanner
	choice   int32  // or message
	left     int    // how much has gone on elsewhere since, see patience
	event    uint64 // number of the last event that had something of it
	behind   bool   // it is in Direction.behind
	text     int64  // read so far
	cleared  int64  // nothing before can still become part of a finding
	settled  int64  // text before was cleared without waiting for what may follow
	released int64  // sent on
	cuts     []cut  // to be redacted and not yet released, ascending, disjoint
}

type cut struct{ start, end int64 }

// redaction stands in for text that was cut.
const redaction = "[REDACTED]"

var newLine = []byte("\n")

// scan has a piece classified and notes in h where it stands in its part.
func (d *Direction) scan(ctx context.Context, h *held, piece *decode.Piece) error {
	if piece.Place.Kind == decode.Other || piece.Complete {
		return d.scanSingle(ctx, h, piece)
	}
	p := d.parts[piece.Place]
	if p == nil {
		if len(d.parts) >= d.in.limits.Decode.Places {
			return &Error{Fault(decode.TooLarge)}
		}
		p = &part{scanner: d.in.classifier.NewScanner(d.stage), choice: piece.Place.A}
		d.parts[piece.Place] = p
	}
	p.event, p.left = d.event, 0
	after := p.text
	if piece.NewLine && p.text > 0 {
		if err := d.write(ctx, p, newLine); err != nil {
			return err
		}
	}
	start := p.text
	err := d.write(ctx, p, piece.Text)
	if p.cleared < p.text && !p.behind && !d.whole {
		p.behind = true
		d.behind = append(d.behind, p)
	}
	h.refs = append(h.refs, ref{part: p, after: after, start: start, end: p.text})
	return err
}

// scanSingle reads a piece that is a part by itself.
func (d *Direction) scanSingle(ctx context.Context, h *held, piece *decode.Piece) error {
	if d.single == nil {
		d.single = d.in.classifier.NewScanner(d.stage)
	}
	p := &d.other
	*p = part{scanner: d.single}
	if err := d.write(ctx, p, piece.Text); err != nil {
		return err
	}
	if err := d.close(ctx, p); err != nil {
		return err
	}
	r := ref{end: p.text}
	if len(p.cuts) > 0 && piece.Member {
		d.decision.Action = verdict.Block // what cannot be redacted
	}
	if len(p.cuts) > 0 {
		r.part = &part{text: p.text, cleared: p.text, cuts: p.cuts}
	}
	h.refs = append(h.refs, r)
	return nil
}

func (d *Direction) write(ctx context.Context, p *part, text []byte) error {
	matches, cleared, err := p.scanner.Write(ctx, text, d.matches[:0])
	d.matches = matches
	if err != nil {
		return &Error{Classifier}
	}
	p.text += int64(len(text))
	before := p.cleared
	if cleared < before || cleared > p.text {
		return &Error{Classifier}
	}
	p.cleared = cleared
	return d.note(p, before)
}

// close says that a part is complete, after which all of it is cleared.
func (d *Direction) close(ctx context.Context, p *part) error {
	matches, err := p.scanner.Close(ctx, d.matches[:0])
	d.matches = matches
	if err != nil {
		return &Error{Classifier}
	}
	before := p.cleared
	p.cleared = p.text
	return d.note(p, before)
}

// redact marks text to be cut, as one cut with what it overlaps.
func (p *part) redact(start, end int64) {
	i := len(p.cuts)
	for i > 0 && p.cuts[i-1].end > start {
		i--
	}
	j := i
	for ; j < len(p.cuts) && p.cuts[j].start < end; j++ {
		start, end = min(start, p.cuts[j].start), max(end, p.cuts[j].end)
	}
	p.cuts = slices.Replace(p.cuts, i, j, cut{start, end})
}
