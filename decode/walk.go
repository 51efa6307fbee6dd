package decode

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// walker reads one JSON text by a rule and notes its pieces in an event. It
// accepts what RFC 8259 does, less duplicate names, invalid UTF-8 and lone
// surrogates: parsers differ on those, and what two parsers read differently
// can be checked as one thing and used as another.
type walker struct {
	limits Limits
	// stream: what is read is new text of parts that go on over events. Items
	// have the number that their member "index" says.
	stream   bool
	joins    bool  // texts of kind Content are read a second time, as one
	unknown  *rule // of what no description names in a stream
	anything rule  // of what none names elsewhere

	dec   jsontext.Decoder
	ahead *lookahead // for an object's type, if that was needed; see typeAhead
	typ   []byte     // scratch
	in    bytes.Buffer
	src   []byte
	ev    *Event
	lines []line // where src came from, if not from one run of the event's bytes
	base  int
	at    Place
	path  uint64 // of members, in a stream; else 0
	// complete: what is read is no part of what goes on over events.
	complete bool
	index    int32 // that the value just read names as its own, or -1
}

// line maps the bytes of a text from src on to those of the event from raw on.
type line struct{ src, raw int }

// walk reads src, which stands in ev.Raw at base or, if lines is not nil, at
// the lines. src must be valid UTF-8 and stay unchanged until ev is freed.
func (w *walker) walk(src []byte, r *rule, ev *Event, base int, lines []line) error {
	w.src, w.ev, w.base, w.lines = src, ev, base, lines
	w.at, w.path, w.index, w.complete = Place{A: -1, B: -1}, 0, -1, false
	if w.stream {
		w.path = pathTop
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
	if w.ahead != nil {
		w.ahead.reset(nil)
	}
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
