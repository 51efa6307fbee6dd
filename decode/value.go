package decode

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

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

func (w *walker) object(r *rule, depth int) (at span, err error) {
	if _, err = w.dec.ReadToken(); err != nil {
		return at, w.syntax(err)
	}
	at.start = int(w.dec.InputOffset()) - 1
	outer, from, top := w.path, len(w.ev.Pieces), depth == 0 && w.stream && r.variants != nil
	untyped := false
	if r.variants != nil {
		if r, untyped, err = w.variant(r, top); err != nil {
			return at, err
		}
	}
	path, index, to, has := w.path, int32(-1), Place{A: -1, B: -1}, false
	for w.dec.PeekKind() != '}' {
		name, err := w.next()
		if err != nil {
			return at, err
		}
		child, plain, err := w.member(r, name)
		if err != nil {
			return at, err
		}
		if path != 0 {
			w.path = pathBelow(path, plain)
		}
		v, err := w.value(child, depth+1)
		if err != nil {
			return at, err
		}
		w.path = path
		if child == nil {
			continue
		}
		switch child.mark {
		case markIndex, markMayIndex:
			index, err = w.number(child.mark, v)
		case markA:
			to.A, err = w.number(child.mark, v)
		case markB:
			to.B, err = w.number(child.mark, v)
		case markContent:
			has = has || w.src[v.start] != 'n'
		default:
		}
		if err != nil {
			return at, err
		}
	}
	if _, err = w.dec.ReadToken(); err != nil {
		return at, w.syntax(err)
	}
	if untyped {
		err = w.refuse(r.other)
	} else if !has {
		err = w.refuse(r.without)
	}
	if err != nil {
		return at, err
	}
	w.put(from, to)
	if top {
		w.event(r, to.A)
	}
	w.path = outer
	at.end, w.index = int(w.dec.InputOffset()), index
	return at, nil
}

// member returns the rule of the member with the given name, and the name as
// parsers read it. A name that no description knows is text.
func (w *walker) member(r *rule, name span) (child *rule, plain []byte, err error) {
	if plain, err = w.plain(name); err != nil {
		return nil, nil, err
	}
	child, known := r.members[string(plain)]
	if known {
		return child, plain, nil
	}
	if alike(r, plain) {
		return nil, nil, w.fail(Ambiguous)
	}
	n := len(w.ev.Pieces)
	if err := w.piece(Other, name); err != nil {
		return nil, nil, err
	}
	if len(w.ev.Pieces) > n {
		w.ev.Pieces[n].Member = true
	}
	return nil, plain, nil
}

// put gives the pieces from on the coordinates that their object names.
func (w *walker) put(from int, to Place) {
	if to.A < 0 && to.B < 0 {
		return
	}
	for i := range w.ev.Pieces[from:] {
		p := &w.ev.Pieces[from+i].Place
		if p.Path == pathWhole {
			continue
		}
		if to.B >= 0 {
			p.B = to.B
		}
		if to.A < 0 {
			continue
		}
		if p.A = to.A; p.Kind == Aside {
			p.Kind = Unknown // words of the choice that the event is of
		}
	}
}

// alike reports whether a name is that of a described member but for the case of
// its letters. Some parsers would take it for that.
func alike(r *rule, name []byte) bool {
	for known := range r.members {
		if len(known) == len(name) && bytes.EqualFold([]byte(known), name) {
			return true
		}
	}
	return false
}

// plain returns a member's name as parsers read it, without escapes.
func (w *walker) plain(name span) ([]byte, error) {
	inside := w.src[name.start+1 : name.end-1]
	if bytes.IndexByte(inside, '\\') < 0 {
		return inside, nil
	}
	plain, err := jsontext.AppendUnquote(nil, w.src[name.start:name.end])
	if err != nil {
		return nil, w.fail(InvalidUTF8)
	}
	return plain, nil
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
