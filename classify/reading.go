package classify

import (
	"context"
	"slices"

	"github.com/difflabai/confidential-safety/classify/disguise"
)

// reading is a part as one view has it: stretches of the source in which something
// was undone, each read as a part by itself, with the text before and behind it.
type reading struct {
	name    View
	make    func() Scanner
	scanner Scanner // once it was needed

	open    bool
	text    []byte // not scanned yet
	length  int64  // of the stretch's text so far
	first   int64  // where the scanner began to read it
	segs    []segment
	since   int   // bytes of the source since something was undone
	cleared int64 // in the source
	clear   bool  // nothing of the stretch is held
	ells    []int64
	// The last text that ran backwards: up to end, it is from there on.
	backEnd, backFrom int64
	matches           []Match // scratch
}

// begin begins a stretch with the source before what is undone.
func (r *reading) begin(context []byte, from int64) {
	r.open, r.cleared = true, from
	r.segs = append(r.segs, segment{src: from})
	r.text = append(r.text, context...)
	r.length = int64(len(context))
}

// keep appends source that is as it looks. The stretch ends where nothing was undone
// for long: at a space, or a little later.
func (r *reading) keep(ctx context.Context, text []byte, from int64, dst []Match) ([]Match, error) {
	for i, c := range text {
		r.since++
		if r.since > contextBytes && (c == ' ' || c == '\n' || r.since > contextBytes+readAtOnce && c&0xc0 != 0x80) {
			r.append(text[:i], from)
			return r.end(ctx, dst)
		}
	}
	r.append(text, from)
	return dst, nil
}

func (r *reading) append(text []byte, from int64) {
	if len(text) == 0 {
		return
	}
	next := segment{norm: r.length, src: from}
	if last := r.segs[len(r.segs)-1]; !last.reaches(next) {
		r.segs = append(r.segs, next)
	}
	r.text = append(r.text, text...)
	r.length += int64(len(text))
}

// undone appends what n bytes of the source stand for.
func (r *reading) undone(t *disguise.Text, from int64, n int) {
	r.since = 0
	start := r.length
	for i := 0; i < len(t.Bytes); {
		p := t.At[i]
		j := i + 1
		for j < len(t.Bytes) && (p.Undone && t.At[j] == p || !p.Undone && t.At[j] == plainAfter(p, j-i)) {
			j++
		}
		src := from + int64(p.From)
		if !p.Undone {
			r.append(t.Bytes[i:j], src)
		} else {
			r.segs = append(r.segs, segment{norm: r.length, src: src, width: int(p.Len)})
			r.text = append(r.text, t.Bytes[i:j]...)
			r.length += int64(j - i)
		}
		i = j
	}
	if r.name == Ells {
		first := r.length - int64(len(r.text))
		for _, i := range t.Ells {
			r.text[start-first+int64(i)] = 'l'
			r.ells = append(r.ells, start+int64(i))
		}
	}
	if t.Backwards {
		r.backEnd, r.backFrom = r.length, from
	}
	if len(t.Bytes) == 0 { // what follows is not where it was
		r.segs = append(r.segs, segment{norm: r.length, src: from, width: n})
	}
}

// plainAfter is the place of the n-th byte behind one that is as it looks.
func plainAfter(p disguise.Place, n int) disguise.Place {
	p.From += int32(n) //nolint:gosec // a stretch is short
	return p
}

// scan has the stretch read, up to a place of the source.
func (r *reading) scan(ctx context.Context, at int64, dst []Match) ([]Match, error) {
	if !r.open || len(r.text) == 0 {
		return dst, nil
	}
	if r.name == Ells && len(r.ells) == 0 {
		// It differs from Unmasked in nothing yet, so that one is enough.
		if drop := len(r.text) - contextBytes; drop > contextBytes {
			for drop < len(r.text) && r.text[drop] != ' ' {
				drop++
			}
			r.text = r.text[:copy(r.text, r.text[drop:])]
			r.first += int64(drop)
			r.forget(r.first)
		}
		r.cleared, r.clear = at, true
		return dst, nil
	}
	matches, cleared, err := r.reader().Write(ctx, r.text, r.matches[:0])
	if r.matches = matches; err != nil {
		return nil, err
	}
	r.text = r.text[:0]
	dst = r.tell(dst)
	r.clear = cleared+r.first == r.length
	if cleared += r.first; cleared < r.length {
		at, _ = r.source(cleared, cleared+1)
		if cleared < r.backEnd {
			at = min(at, r.backFrom)
		}
	}
	r.forget(cleared - contextBytes)
	r.cleared = max(r.cleared, at)
	return dst, nil
}

func (r *reading) reader() Scanner {
	if r.scanner == nil {
		r.scanner = r.make()
	}
	return r.scanner
}

// settle tells what stands if the part ends here.
func (r *reading) settle(ctx context.Context, dst []Match) (_ []Match, err error) {
	if !r.open || r.scanner == nil || r.name == Ells && len(r.ells) == 0 {
		return dst, nil
	}
	if r.matches, err = r.scanner.Settle(ctx, r.matches[:0]); err != nil {
		return nil, err
	}
	return r.tell(dst), nil
}

// end ends the stretch.
func (r *reading) end(ctx context.Context, dst []Match) (_ []Match, err error) {
	if !r.open {
		return dst, nil
	}
	if dst, err = r.scan(ctx, r.cleared, dst); err != nil {
		return nil, err
	}
	if r.scanner != nil {
		if r.matches, err = r.scanner.Close(ctx, r.matches[:0]); err != nil {
			return nil, err
		}
		dst = r.tell(dst)
	}
	*r = reading{name: r.name, make: r.make, scanner: r.scanner, text: r.text[:0], segs: r.segs[:0], ells: r.ells[:0], matches: r.matches[:0]}
	return dst, nil
}

// tell appends the matches that were found, with their places in the source, but for
// those in which nothing was undone: the plain view has them.
func (r *reading) tell(dst []Match) []Match {
	for _, m := range r.matches {
		m.Start, m.End = m.Start+r.first, m.End+r.first
		if r.name == Ells && !slices.ContainsFunc(r.ells, func(at int64) bool { return m.Start <= at && at < m.End }) {
			continue
		}
		i := r.index(max(m.Start-1, 0))
		if r.segs[i].width == 0 && r.index(min(m.End, r.length-1)) == i {
			continue
		}
		m.Start, m.End = r.source(m.Start, m.End)
		m.View = r.name
		dst = append(dst, m)
	}
	return dst
}
