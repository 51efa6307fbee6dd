package decode

import "bytes"

var (
	doneMark  = []byte("[DONE]")
	byteOrder = []byte("\xef\xbb\xbf")
)

// read notes the text of an event's lines.
func (s *stream) read(ev *Event) error {
	if i := invalidUTF8(ev.Raw); i >= 0 {
		return &Error{InvalidUTF8, i}
	}
	s.lines = s.lines[:0]
	dataEnd := 0
	start := 0
	var named span // the line that names the event's type, where events have types
	for _, end := range s.ends {
		from, to := start, end.text
		start = end.next
		if !s.started && from == 0 && bytes.HasPrefix(ev.Raw, byteOrder) {
			from += len(byteOrder)
		}
		value, ok := dataOf(ev.Raw[from:to])
		if !ok && s.api.typed() && isEvent(ev.Raw[from:to]) {
			if named.end != 0 {
				return &Error{Malformed, from} // the last would count, or the first
			}
			named = span{from, to}
			continue
		}
		if !ok {
			if err := s.aside(ev, from, to); err != nil {
				return err
			}
			continue
		}
		from = to - len(value)
		s.lines = append(s.lines, line{src: len(s.joined), raw: from})
		s.joined = append(append(s.joined, ev.Raw[from:to]...), '\n')
		dataEnd = to
	}
	defer func() { s.joined = emptied(s.joined) }()
	if err := s.data(ev, dataEnd); err != nil {
		return err
	}
	if named.end == 0 {
		return nil
	}
	_, name, _ := bytes.Cut(ev.Raw[named.start:named.end], []byte(":"))
	name = bytes.TrimPrefix(name, []byte(" "))
	switch {
	case !ev.typed:
		return s.aside(ev, named.start, named.end)
	case bytes.Equal(name, ev.typ):
		return nil
	default:
		// Clients differ on which of the two counts.
		return &Error{Malformed, named.start}
	}
}

// data notes the text of what the event's data lines hold, which is in s.lines
// and s.joined.
func (s *stream) data(ev *Event, end int) error {
	if len(s.lines) == 0 || len(bytes.TrimSpace(s.joined)) == 0 {
		return nil
	}
	if len(s.lines) == 1 {
		data := ev.Raw[s.lines[0].raw:end]
		if bytes.Equal(data, doneMark) {
			ev.done = true
			return nil
		}
		return s.walker.walk(data, s.api.event, ev, s.lines[0].raw, nil)
	}
	// The text must stay while the event does, and joined is used again.
	return s.walker.walk(bytes.Clone(s.joined), s.api.event, ev, 0, s.lines)
}

// aside notes a line that is not data: a comment, whose field has no name, or one
// of another field of the standard. The values of one field are one run of words,
// of a line each. A line of any other field is refused: what ignores the standard
// might read it in a way of its own, as JSON say.
func (s *stream) aside(ev *Event, from, to int) error {
	if from == to {
		return nil
	}
	if len(ev.Pieces) >= s.limits.Places*stringsPerPlace {
		return &Error{TooLarge, from}
	}
	name, value, _ := bytes.Cut(ev.Raw[from:to], []byte(":"))
	middle := to - len(value)
	switch string(name) {
	case "", "event", "id", "retry":
	default:
		return &Error{Malformed, from}
	}
	ev.Pieces = append(ev.Pieces, Piece{
		Place: Place{Kind: Aside, A: -1, B: -1, Path: pathBelow(pathLine, name)}, NewLine: true, Text: value, start: middle, end: to,
	})
	return nil
}

// isEvent reports whether a line is a field named event.
func isEvent(line []byte) bool {
	name, _, _ := bytes.Cut(line, []byte(":"))
	return string(name) == "event"
}

// dataOf returns the value of a line that is a field named data.
func dataOf(line []byte) (value []byte, ok bool) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	if string(name) != "data" {
		return nil, false
	}
	return bytes.TrimPrefix(value, []byte(" ")), true
}
