package decode

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// variant returns the rule for the object that has just been entered. If it
// names no type and no variant is for that, it is untyped, and to be refused at
// its end: it may still turn out to name its type in other letters. The type of
// the top of an event is kept in it.
func (w *walker) variant(r *rule, top bool) (v *rule, untyped bool, err error) {
	typ, ok := w.typeAhead(w.src[w.dec.InputOffset()-1:])
	if w.path != 0 && len(typ) > 0 {
		w.path = pathBelow(w.path, typ)
	}
	if top {
		w.ev.typ, w.ev.typed = append(w.ev.typ[:0], typ...), true
	}
	v = r.variants[string(typ)]
	switch {
	case v != nil && ok:
		return v, false, w.refuse(v.opaque)
	case ok && len(typ) == 0:
		return r, true, nil
	default:
		return r, false, w.refuse(r.other)
	}
}

// typeAhead returns the value of the member "type" of the object that object
// begins with: "" without that member, and false where it is no string. It is
// valid until the next call. It does not check the object, which
// is read behind it.
func (w *walker) typeAhead(object []byte) (value []byte, ok bool) {
	if value, ok = typeInFront(object); ok {
		return value, true
	}
	if w.ahead == nil {
		w.ahead = new(lookahead)
	}
	dec := w.ahead.reset(object)
	if _, err := dec.ReadToken(); err != nil {
		return w.typ[:0], true
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			break
		}
		if name.String() != "type" {
			if dec.SkipValue() != nil {
				break
			}
			continue
		}
		kind := dec.PeekKind()
		v, err := dec.ReadValue()
		if err != nil {
			break
		}
		if kind == 'n' {
			return w.typ[:0], true // to clients, as to most servers, none
		}
		if kind != '"' {
			return v, false
		}
		w.typ, err = jsontext.AppendUnquote(w.typ[:0], v)
		return w.typ, err == nil
	}
	return w.typ[:0], true
}

// lookahead reads what another decoder will.
type lookahead struct {
	dec jsontext.Decoder
	in  bytes.Buffer
}

func (l *lookahead) reset(text []byte) *jsontext.Decoder {
	l.in = *bytes.NewBuffer(text)
	l.dec.Reset(&l.in)
	return &l.dec
}

// typeInFront is typeAhead for the member that most servers write first, and
// false where it is not that simple.
func typeInFront(object []byte) (value []byte, ok bool) {
	rest := object[1:]
	for _, word := range [...]string{`"type"`, `:`, `"`} {
		rest = bytes.TrimLeft(rest, " \t\r\n")
		if rest, ok = bytes.CutPrefix(rest, []byte(word)); !ok {
			return nil, false
		}
	}
	end := bytes.IndexByte(rest, '"')
	if end < 0 || bytes.IndexByte(rest[:end], '\\') >= 0 {
		return nil, false
	}
	return rest[:end], true
}

// event notes what the top of a stream's event says about the stream.
func (w *walker) event(r *rule, a int32) {
	w.ev.open = append(w.ev.open, NoChoice)
	if a >= 0 {
		w.ev.open = append(w.ev.open, a)
	}
	if r.closes {
		w.ev.closed = append(w.ev.closed, a)
	}
	if r.ends {
		w.ev.closed = append(w.ev.closed, NoChoice)
		w.ev.done = true
	}
}

// NoChoice stands among an event's choices for the stream as a whole, where the
// events have types and some of them are its end.
const NoChoice = -1
