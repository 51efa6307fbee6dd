package decode

import "github.com/go-json-experiment/json/jsontext"

// next reads the whole of the next scalar and returns where it stands in src.
func (w *walker) next() (span, error) {
	v, err := w.dec.ReadValue()
	if err != nil {
		return span{}, w.syntax(err)
	}
	end := int(w.dec.InputOffset())
	return span{end - len(v), end}, nil
}

// value reads the next value and returns where it stands in src.
func (w *walker) value(r *rule, depth int) (at span, err error) {
	if depth > w.limits.Depth {
		return at, w.fail(TooDeep)
	}
	kind := w.dec.PeekKind()
	if kind == 0 {
		return w.next() // which says what is wrong
	}
	if r == nil {
		r = w.unlisted()
	}
	if err := w.refuseValue(r, kind); err != nil {
		return at, err
	}
	if r.complete && !w.complete {
		path := w.path
		w.path, w.complete = 0, true
		defer func() { w.path, w.complete = path, false }()
	}
	from := len(w.ev.Pieces)
	switch kind {
	case '{':
		at, err = w.object(r, depth)
	case '[':
		at, err = w.array(r, depth)
	case '"':
		if at, err = w.next(); err == nil {
			err = w.text(r, at)
		}
	default:
		at, err = w.next()
	}
	if err != nil {
		return at, err
	}
	if r.joined && kind == '[' {
		w.join(from)
	}
	if empty := at.end-at.start == len("[]"); r.shadow && kind != 'n' && !empty {
		w.ev.shadows = append(w.ev.shadows, w.spanOf(at))
	}
	w.note(r.mark, kind, at)
	return at, nil
}

// refuseValue refuses what cannot be read as text and is told by its kind.
func (w *walker) refuseValue(r *rule, kind jsontext.Kind) error {
	switch {
	case kind == 'n':
		return nil
	case kind == '[' && r.items == r: // its items are
		return nil
	case r.opaque != 0:
		return w.refuse(r.opaque)
	case r.numeric != 0 && kind == '0':
		return w.refuse(r.numeric)
	case r.other != 0 && (kind == '[' && r.items == nil || kind == '{' && r.variants == nil):
		return w.refuse(r.other)
	default:
		return nil
	}
}

func (w *walker) array(r *rule, depth int) (at span, err error) {
	if _, err = w.dec.ReadToken(); err != nil {
		return at, w.syntax(err)
	}
	at.start = int(w.dec.InputOffset()) - 1
	outer, path := w.at, w.path
	for i := int32(0); w.dec.PeekKind() != ']'; i++ {
		if r.numbers != noCoordinate && int(i) >= w.limits.Places {
			return at, w.fail(TooLarge)
		}
		switch r.numbers {
		case coordinateA:
			w.at.A = i
			if w.stream && !w.complete {
				w.path = pathStart
			}
		case coordinateB:
			w.at.B = i
		case noCoordinate:
		}
		if err := w.item(r, i, depth); err != nil {
			return at, err
		}
		w.at, w.path = outer, path
	}
	if _, err = w.dec.ReadToken(); err != nil {
		return at, w.syntax(err)
	}
	at.end, w.index = int(w.dec.InputOffset()), -1
	return at, nil
}

// item reads an array's item and gives what it holds the item's number, which
// may stand behind it.
func (w *walker) item(r *rule, number int32, depth int) error {
	pieces, closed := len(w.ev.Pieces), len(w.ev.closed)
	w.index = -1
	if _, err := w.value(r.items, depth+1); err != nil {
		return err
	}
	index := w.index
	if index >= 0 {
		number = index
	}
	for i := range w.ev.Pieces[pieces:] {
		p := &w.ev.Pieces[pieces+i].Place
		switch {
		case p.Path == pathWhole:
		case r.numbers == coordinateA:
			p.A = number
		case r.numbers == coordinateB:
			p.B = number
		case (p.Kind == Unknown || p.Kind == Aside) && index >= 0:
			p.Path = pathNumbered(p.Path, index)
		}
	}
	if r.numbers == coordinateA && !w.complete {
		for i := range w.ev.closed[closed:] {
			w.ev.closed[closed+i] = number
		}
		w.ev.open = append(w.ev.open, number)
	}
	return nil
}
