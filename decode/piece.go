package decode

import (
	"log/slog"
	"unicode/utf8"
)

// Kind says what a piece of text is in its API.
type Kind uint8

// The kinds of text. All but Other and Aside are words that a model read or
// wrote.
const (
	// Other is any string that is no part of a run of words: ids, roles, names
	// of unknown members. Each is a part by itself.
	Other Kind = iota
	Content
	Reasoning
	ReasoningContent // the same under the name that older servers give it
	Refusal
	Name
	ToolName
	ToolArguments
	CustomToolName
	CustomToolInput
	ToolDescription
	Instructions
	Prompt
	Suffix
	Prediction
	Logprobs
	// Unknown is a string within a choice of a stream whose place no
	// description names. It continues over events, as content does.
	Unknown
	// Aside is a string of a stream outside of any choice: of a member that no
	// description names, or of a line that is not data, such as a comment. It
	// continues over events, too, but is no word of the model's.
	Aside
)

// Place names one part: a run of words that belong together. Two pieces of
// kind Other are never one part, even though their places are equal.
type Place struct {
	Kind Kind
	// A is the position of a message, or of an item or a prompt, in a request, and
	// the choice's index in a response; B is the index of a tool, a tool call or a
	// part; -1 where there is none. A choice is here whatever an API numbers in a
	// stream: a choice, an output item (Responses) or a content block (Messages).
	A, B int32
	// Glued marks a second reading of a list of texts, without line breaks
	// between them: models are fed either way, so both are read.
	Glued bool
	// Path tells apart the places of strings of kind Unknown and Aside.
	Path uint64
}

// Piece is a run of text within an event.
type Piece struct {
	Place Place
	// NewLine: a line break is to be read before the text, if its place has
	// text already.
	NewLine bool
	// Member: the text is the name of an object's member. To replace words in it
	// could make two members of one.
	Member bool
	// Complete: the text is a part by itself. It repeats in one what other events
	// of the stream say in pieces.
	Complete bool
	Text     []byte // decoded UTF-8, valid until the event is freed

	start, end int  // of its source in the event's bytes
	escaped    bool // the source holds JSON escapes
}

// LogValue keeps text out of logs.
func (Piece) LogValue() slog.Value { return slog.StringValue("[text]") }

// within returns the range from:to of the text, widened to whole runes and cut
// to what there is.
func (p *Piece) within(from, to int) (int, int) {
	from = min(max(from, 0), len(p.Text))
	to = min(max(to, from), len(p.Text))
	for from < len(p.Text) && !utf8.RuneStart(p.Text[from]) {
		from--
	}
	for to < len(p.Text) && !utf8.RuneStart(p.Text[to]) {
		to++
	}
	return from, to
}

// cursor finds the source of text. It goes on from where it was, so that many
// edits of one long piece cost no more than one.
type cursor struct {
	piece    *Piece
	text, at int // at is where in the event's bytes the text's byte text comes from
}

// source returns where in raw the byte n of the piece's text was decoded from.
// n must not be within a rune.
func (c *cursor) source(p *Piece, raw []byte, n int) int {
	if !p.escaped {
		return p.start + n
	}
	if c.piece != p || c.text > n {
		*c = cursor{p, 0, p.start}
	}
	for c.text < n {
		size, width := escapeAt(raw[c.at:p.end])
		c.at += size
		c.text += width
	}
	return c.at
}

// escapeAt returns how many bytes the first character of a valid JSON string's
// inside takes in its source and in its decoded form.
func escapeAt(src []byte) (size, width int) {
	if src[0] != '\\' {
		return 1, 1
	}
	if src[1] != 'u' {
		return 2, 1
	}
	r := hex4(src[2:])
	if 0xd800 <= r && r < 0xdc00 { // valid JSON text has the second half next
		return 12, 4
	}
	return 6, utf8.RuneLen(r)
}

func hex4(src []byte) (r rune) {
	for _, c := range src[:4] {
		switch {
		case c <= '9':
			c -= '0'
		case c <= 'F':
			c -= 'A' - 10
		default:
			c -= 'a' - 10
		}
		r = r<<4 | rune(c)
	}
	return r
}
