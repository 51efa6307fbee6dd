package decode

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// unlisted is the rule of a place that no description names.
func (w *walker) unlisted() *rule {
	if w.path != 0 {
		return w.unknown
	}
	return &w.anything
}

// kind is what a string is that stands at the place of a rule.
func (w *walker) kind(r *rule) Kind {
	switch {
	case r.kind != Other || r.single || w.path == 0:
		return r.kind
	case w.at.A < 0:
		return Aside
	default:
		return Unknown
	}
}

// note keeps what the reader needs to know of a value besides the text.
func (w *walker) note(m mark, kind jsontext.Kind, at span) {
	switch {
	case m == markFinish && kind != 'n':
		w.ev.closed = append(w.ev.closed, w.at.A)
	case (m == markID || m == markModel) && kind == '"', m == markCreated && kind == '0':
		w.ev.envelope[m-markID] = w.spanOf(at)
	case m == markSequence && kind == '0':
		w.ev.envelope[envelopeSequence] = w.spanOf(at)
	}
}

// number reads an item's index, -1 where it names none.
func (w *walker) number(m mark, at span) (int32, error) {
	text := w.src[at.start:at.end]
	if !w.stream || w.complete || string(text) == "null" {
		return -1, nil
	}
	n, err := strconv.ParseUint(string(text), 10, 31)
	switch {
	case err != nil && m == markMayIndex:
		return -1, nil
	case err != nil:
		return -1, w.fail(Malformed)
	case int(n) >= w.limits.Places:
		return -1, w.fail(TooLarge)
	}
	return int32(n), nil
}

// text notes the string at the place of a rule.
func (w *walker) text(r *rule, at span) error {
	if r.link && !isData(w.src[at.start+1:at.end-1]) {
		if err := w.refuse(Remote); err != nil {
			return err
		}
	}
	k, n := w.kind(r), len(w.ev.Pieces)
	if err := w.piece(k, at); err != nil || len(w.ev.Pieces) == n {
		return err
	}
	again := w.ev.Pieces[n]
	switch {
	case k == Unknown || k == Aside:
		// Nobody knows whether such texts continue each other or stand alone,
		// so they are read either way.
		again.Place = Place{Kind: Other, A: -1, B: -1, Glued: true}
	case k == Content && w.joins && !w.complete:
		again.Place = Place{Kind: Content, A: -1, B: -1, Glued: true, Path: pathWhole}
	default:
		return nil
	}
	w.ev.Pieces = append(w.ev.Pieces, again)
	return nil
}

// isData reports whether a URL holds what it stands for (RFC 2397). One with
// escapes in its scheme is not known to.
func isData(url []byte) bool {
	const scheme = "data:"
	return len(url) >= len(scheme) && bytes.EqualFold(url[:len(scheme)], []byte(scheme))
}

// piece notes the string literal at the span as text.
func (w *walker) piece(k Kind, at span) error {
	if len(w.ev.Pieces) >= w.limits.Places*stringsPerPlace {
		return w.fail(TooLarge)
	}
	inside := w.src[at.start+1 : at.end-1]
	if len(inside) == 0 {
		return nil
	}
	p := Piece{Place: w.at, Text: inside, start: w.raw(at.start + 1), end: w.raw(at.end-2) + 1}
	p.Place.Kind, p.Complete = k, w.complete && k != Other
	if k == Unknown || k == Aside {
		p.Place.Path = w.path
	}
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
// reading, if it has more than one text. In a stream they go on where the event
// before left off, without line breaks.
func (w *walker) join(from int) {
	if w.stream {
		return
	}
	pieces, texts := w.ev.Pieces[from:], 0
	for i := range pieces {
		if pieces[i].Place.Kind != Other {
			pieces[i].NewLine = true
			texts++
		}
	}
	if texts < 2 {
		return
	}
	for _, p := range pieces {
		if p.Place.Kind != Other {
			p.Place.Glued, p.NewLine = true, false
			w.ev.Pieces = append(w.ev.Pieces, p)
		}
	}
}
