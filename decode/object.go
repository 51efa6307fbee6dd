package decode

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// object reads an object by a rule or, if that has variants, by the one for its
// type, and gives what it holds the coordinates that it names.
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
