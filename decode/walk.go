package decode

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// walker reads one JSON text by a rule and notes its pieces in an event. It
// accepts what RFC 8259 does, less duplicate names, invalid UTF-8 and lone
// surrogates: parsers differ on those, and what two parsers read differently
// can be checked as one thing and used as another.
type walker struct {
	limits  Limits
	byIndex bool // number items by their member "index": the items of a stream are deltas

	dec   jsontext.Decoder
	in    bytes.Buffer
	src   []byte
	ev    *Event
	lines []line // where src came from, if not from one run of the event's bytes
	base  int
	at    Place
	index int32 // of the item that is being read, -1 until it names one
}

// line maps the bytes of a text from src on to those of the event from raw on.
type line struct{ src, raw int }

// walk reads src, which stands in ev.Raw at base or, if lines is not nil, at
// the lines. src must stay unchanged until ev is freed.
func (w *walker) walk(src []byte, r *rule, ev *Event, base int, lines []line) error {
	w.src, w.ev, w.base, w.lines = src, ev, base, lines
	w.at, w.index = Place{A: -1, B: -1}, -1
	if i := invalidUTF8(src); i >= 0 {
		return &Error{InvalidUTF8, w.raw(i)}
	}
	w.in = *bytes.NewBuffer(src)
	w.dec.Reset(&w.in)
	defer w.release()
	if _, err := w.value(r, 0); err != nil {
		return err
	}
	if _, err := w.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return w.fail(Malformed)
	}
	return nil
}

// release lets go of the text, so that an idle reader keeps none.
func (w *walker) release() {
	w.in = bytes.Buffer{}
	w.dec.Reset(&w.in)
	w.src, w.ev, w.lines = nil, nil, nil
}

func (w *walker) fail(f Fault) error { return &Error{f, w.raw(int(w.dec.InputOffset()))} }

// syntax turns an error of the JSON library, which may quote the input, into
// one of ours, which does not.
func (w *walker) syntax(err error) error {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return w.fail(Duplicate)
	}
	return w.fail(Malformed)
}

func (w *walker) raw(offset int) int {
	if w.lines == nil {
		return w.base + offset
	}
	i, _ := slices.BinarySearchFunc(w.lines, offset, func(l line, o int) int {
		if l.src <= o {
			return -1
		}
		return 1
	})
	l := w.lines[max(i-1, 0)]
	return l.raw + offset - l.src
}

// spanOf returns where a value of src stands in the event's bytes.
func (w *walker) spanOf(at span) span { return span{w.raw(at.start), w.raw(at.end-1) + 1} }

// next reads the whole of the next scalar and returns where it stands in src.
func (w *walker) next() (span, error) {
	v, err := w.dec.ReadValue()
	if err != nil {
		return span{}, w.syntax(err)
	}
	end := int(w.dec.InputOffset())
	return span{end - len(v), end}, nil
}

// anything is the rule of a place that no description names.
var anything rule

// value reads the next value and returns where it stands in src.
func (w *walker) value(r *rule, depth int) (at span, err error) {
	if depth > w.limits.Depth {
		return at, w.fail(TooDeep)
	}
	kind := w.dec.PeekKind()
	if r == nil {
		r = &anything
	}
	if r.unreadable && kind != 'n' {
		return at, w.fail(Unreadable)
	}
	from := len(w.ev.Pieces)
	switch kind {
	case '{':
		at, err = w.object(r, depth)
	case '[':
		at, err = w.array(r, depth)
	case '"':
		if at, err = w.next(); err == nil {
			err = w.piece(r.kind, at)
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
	if r.shadow && kind != 'n' {
		w.ev.shadows = append(w.ev.shadows, w.spanOf(at))
	}
	return at, w.note(r.mark, kind, at)
}

// note keeps what the reader needs to know besides the text.
func (w *walker) note(m mark, kind jsontext.Kind, at span) error {
	switch m {
	case markID, markCreated, markModel:
		w.ev.envelope[m-markID] = w.spanOf(at)
	case markFinish:
		if kind != 'n' {
			w.ev.closed = append(w.ev.closed, w.at.A)
		}
	case markIndex:
		n, err := strconv.ParseUint(string(w.src[at.start:at.end]), 10, 31)
		if err != nil || int(n) >= w.limits.Places {
			return w.fail(Malformed)
		}
		w.index = int32(n)
	case noMark, markType:
	}
	return nil
}

func (w *walker) object(r *rule, depth int) (at span, err error) {
	if _, err = w.dec.ReadToken(); err != nil {
		return at, w.syntax(err)
	}
	at.start = int(w.dec.InputOffset()) - 1
	readable := r.types == nil
	for w.dec.PeekKind() != '}' {
		name, err := w.next()
		if err != nil {
			return at, err
		}
		child, known := w.member(r, name)
		if !known {
			if err := w.piece(Other, name); err != nil {
				return at, err
			}
		}
		v, err := w.value(child, depth+1)
		if err != nil {
			return at, err
		}
		if child != nil && child.mark == markType {
			readable = slices.Contains(r.types, string(w.src[v.start:v.end]))
		}
	}
	if _, err = w.dec.ReadToken(); err != nil {
		return at, w.syntax(err)
	}
	if !readable {
		return at, w.fail(Unreadable)
	}
	at.end = int(w.dec.InputOffset())
	return at, nil
}

// member finds the rule of a member by its name.
func (w *walker) member(r *rule, name span) (child *rule, known bool) {
	inside := w.src[name.start+1 : name.end-1]
	if bytes.IndexByte(inside, '\\') >= 0 {
		// A parser behind us reads the name without its escapes, so we do.
		plain, err := jsontext.AppendUnquote(nil, w.src[name.start:name.end])
		if err != nil {
			return nil, false
		}
		inside = plain
	}
	child, known = r.members[string(inside)]
	return child, known
}

func (w *walker) array(r *rule, depth int) (at span, err error) {
	if _, err = w.dec.ReadToken(); err != nil {
		return at, w.syntax(err)
	}
	at.start = int(w.dec.InputOffset()) - 1
	outer := w.at
	for i := int32(0); w.dec.PeekKind() != ']'; i++ {
		switch r.numbers {
		case coordinateA:
			w.at.A = i
		case coordinateB:
			w.at.B = i
		case noCoordinate:
		}
		if err := w.item(r, i, depth); err != nil {
			return at, err
		}
		w.at = outer
	}
	if _, err = w.dec.ReadToken(); err != nil {
		return at, w.syntax(err)
	}
	at.end = int(w.dec.InputOffset())
	return at, nil
}

// item reads an array's item and gives what it holds the item's number.
func (w *walker) item(r *rule, number int32, depth int) error {
	pieces, closed, outer := len(w.ev.Pieces), len(w.ev.closed), w.index
	w.index = -1
	if _, err := w.value(r.items, depth+1); err != nil {
		return err
	}
	if w.byIndex && w.index >= 0 {
		number = w.index
	}
	w.index = outer
	for i := range w.ev.Pieces[pieces:] {
		p := &w.ev.Pieces[pieces+i].Place
		switch r.numbers {
		case coordinateA:
			p.A = number
		case coordinateB:
			p.B = number
		case noCoordinate:
		}
	}
	if r.numbers == coordinateA {
		for i := range w.ev.closed[closed:] {
			w.ev.closed[closed+i] = number
		}
		w.ev.open = append(w.ev.open, number)
	}
	return nil
}

// piece notes the string literal at the span as text.
func (w *walker) piece(k Kind, at span) error {
	if len(w.ev.Pieces) >= w.limits.Places*4 {
		return w.fail(TooLarge)
	}
	inside := w.src[at.start+1 : at.end-1]
	if len(inside) == 0 {
		return nil
	}
	p := Piece{Place: w.at, Text: inside, start: w.raw(at.start + 1), end: w.raw(at.end-2) + 1}
	p.Place.Kind = k
	if bytes.IndexByte(inside, '\\') >= 0 {
		from := len(w.ev.arena)
		arena, err := jsontext.AppendUnquote(w.ev.arena, w.src[at.start:at.end])
		if err != nil {
			return w.fail(InvalidUTF8)
		}
		w.ev.arena = arena
		p.Text, p.escaped = arena[from:len(arena):len(arena)], true
	}
	w.ev.Pieces = append(w.ev.Pieces, p)
	return nil
}

// join marks the pieces from on as one run of words and adds its second
// reading, if there is more than one text of a place.
func (w *walker) join(from int) {
	pieces := w.ev.Pieces[from:]
	for i := range pieces {
		pieces[i].NewLine = pieces[i].Place.Kind != Other
	}
	if len(pieces) < 2 {
		return
	}
	for _, p := range pieces {
		if p.Place.Kind != Other {
			p.Place.Glued, p.NewLine = true, false
			w.ev.Pieces = append(w.ev.Pieces, p)
		}
	}
}

func invalidUTF8(p []byte) int {
	if utf8.Valid(p) {
		return -1
	}
	for i := 0; ; {
		r, size := utf8.DecodeRune(p[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
}
