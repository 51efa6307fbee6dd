// Package disguise undoes what hides words from a reader of plain text and not
// from a model: encodings, escapes, look-alikes, letters that are spaced out,
// replaced, shifted or reversed.
//
// An [Unmasker] and a [Turner] read a text from a place on and say how much of it
// is as it looks, and what the next stretch stands for. Both decide by the text
// alone, never by how it came in pieces. They know characters and no meaning: what
// they make of a text that hides nothing may be nonsense, so it is to be read
// beside the text and never instead of it.
package disguise

import (
	"log/slog"
	"unicode/utf8"
)

// MaxRun bounds a stretch that is undone as one, in bytes; longer ones are undone
// in pieces. It is also how much text may stay undecided.
const MaxRun = 2048

// Text is what a stretch of the source stands for.
type Text struct {
	Bytes []byte
	At    []Place // of each byte, ascending
	// Ells are bytes that were read as i and may as well be l.
	Ells []int32
	// Backwards: the places do not ascend.
	Backwards bool
}

// LogValue keeps users' texts out of logs.
func (*Text) LogValue() slog.Value { return slog.StringValue("[text]") }

// Place is the part of the stretch that a byte stands for.
type Place struct {
	From   int32
	Len    uint16
	Undone bool // the byte is not what stands there
}

func (t *Text) reset() {
	t.Bytes, t.At, t.Ells, t.Backwards = t.Bytes[:0], t.At[:0], t.Ells[:0], false
}

// add appends a byte for n bytes from a place on.
func (t *Text) add(b byte, from, n int) {
	t.Bytes = append(t.Bytes, b)
	t.At = append(t.At, place(from, n))
}

func place(from, n int) Place {
	return Place{From: int32(from), Len: uint16(n), Undone: true} //nolint:gosec // both are at most a few times MaxRun
}

func (t *Text) addAll(text []byte, from, n int) {
	for _, b := range text {
		t.add(b, from, n)
	}
}

func (t *Text) addRune(r rune, from, n int) {
	var char [utf8.UTFMax]byte
	t.addAll(char[:utf8.EncodeRune(char[:], r)], from, n)
}

// keep appends text that is as it looks and stands at a place.
func (t *Text) keep(text []byte, from int) {
	t.Bytes = append(t.Bytes, text...)
	for i := range text {
		t.At = append(t.At, Place{From: int32(from + i), Len: 1}) //nolint:gosec // see place
	}
}

// take appends bytes of another text from i up to j, as they are there.
func (t *Text) take(from *Text, i, j int) {
	t.Bytes = append(t.Bytes, from.Bytes[i:j]...)
	t.At = append(t.At, from.At[i:j]...)
	t.Backwards = t.Backwards || from.Backwards
}

// through appends a text whose places are in another text, from a place of it on.
func (t *Text) through(inner, outer *Text, from int) {
	for _, i := range inner.Ells {
		t.Ells = append(t.Ells, i+int32(len(t.Bytes))) //nolint:gosec // see place
	}
	t.Bytes = append(t.Bytes, inner.Bytes...)
	var last, made Place
	for i, p := range inner.At {
		if i == 0 || p != last {
			last, made = p, outer.cover(from+int(p.From), int(p.Len))
			made.Undone = made.Undone || p.Undone
		}
		t.At = append(t.At, made)
	}
	t.Backwards = t.Backwards || inner.Backwards || outer.Backwards
}

// cover is the place of n bytes together.
func (t *Text) cover(i, n int) Place {
	p := t.At[i]
	first, end := p.From, p.From+int32(p.Len)
	for _, q := range t.At[i+1 : i+n] {
		first, end = min(first, q.From), max(end, q.From+int32(q.Len))
		p.Undone = p.Undone || q.Undone
	}
	return Place{From: first, Len: uint16(end - first), Undone: p.Undone} //nolint:gosec // see place
}
