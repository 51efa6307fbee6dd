package decode

import (
	"bytes"
	"slices"
)

// stream reads server-sent events. Lines end in LF, CRLF or CR; a CR that is
// the last byte so far waits for the next one, so that an event ends at the
// same byte however the bytes arrive.
type stream struct {
	events
	api    *API
	limits Limits
	walker walker

	buf     []byte
	head    int       // where in buf the event starts that is being read
	ends    []lineEnd // of that event's lines so far
	scanned int       // buf up to here holds no end of line but those in ends
	joined  []byte
	lines   []line
	client  client
}

// lineEnd says where in buf a line's text ends and where the next line starts.
type lineEnd struct{ text, next int }

// client is what the client has seen of the stream, as far as ending it early
// must fit it.
type client struct {
	envelope [3][]byte // the values of id, created and model, as JSON
	choices  []choiceState
}

type choiceState struct {
	index  int32
	closed bool
}

func newStream(a *API, l Limits) *stream {
	return &stream{api: a, limits: l, walker: walker{limits: l, byIndex: true}}
}

func (s *stream) Feed(p []byte, dst []*Event) ([]*Event, error) {
	for len(p) > 0 {
		// An event may not outgrow its limit, whatever the size of p.
		n := min(len(p), s.limits.Event+1-len(s.buf))
		s.buf = append(s.buf, p[:n]...)
		p = p[n:]
		var err error
		if dst, err = s.cut(dst, false); err != nil {
			return nil, err
		}
		s.compact()
		if len(s.buf) > s.limits.Event {
			return nil, &Error{TooLarge, s.limits.Event}
		}
	}
	return dst, nil
}

func (s *stream) End(dst []*Event) ([]*Event, error) {
	dst, err := s.cut(dst, true)
	if err != nil || s.head == len(s.buf) {
		return dst, err
	}
	// An event without its blank line: clients differ on whether they read it.
	if n := len(s.ends); n == 0 || s.ends[n-1].next < len(s.buf) {
		s.ends = append(s.ends, lineEnd{len(s.buf), len(s.buf)})
	}
	return s.emit(len(s.buf), dst)
}

// compact drops the bytes of the events that were cut off.
func (s *stream) compact() {
	n := copy(s.buf, s.buf[s.head:])
	s.buf = s.buf[:n]
	for i := range s.ends {
		s.ends[i].text -= s.head
		s.ends[i].next -= s.head
	}
	s.scanned -= s.head
	s.head = 0
}

// cut finds the complete events in the buffer and appends them to dst.
func (s *stream) cut(dst []*Event, final bool) ([]*Event, error) {
	for {
		at, next, ok := s.lineEnd(final)
		if !ok {
			return dst, nil
		}
		start := s.head
		if n := len(s.ends); n > 0 {
			start = s.ends[n-1].next
		}
		s.scanned = next
		if at > start {
			s.ends = append(s.ends, lineEnd{at, next})
			continue
		}
		var err error
		if dst, err = s.emit(next, dst); err != nil {
			return nil, err
		}
	}
}

// lineEnd finds the next end of line from scanned on.
func (s *stream) lineEnd(final bool) (at, next int, ok bool) {
	rest := s.buf[s.scanned:]
	lf := bytes.IndexByte(rest, '\n')
	if lf < 0 {
		lf = len(rest)
	}
	if cr := bytes.IndexByte(rest[:lf], '\r'); cr >= 0 {
		at = s.scanned + cr
		switch {
		case cr+1 < len(rest) && rest[cr+1] == '\n':
			return at, at + 2, true
		case cr+1 < len(rest) || final:
			return at, at + 1, true
		default:
			s.scanned = at
			return 0, 0, false
		}
	}
	if lf == len(rest) {
		s.scanned = len(s.buf)
		return 0, 0, false
	}
	return s.scanned + lf, s.scanned + lf + 1, true
}

// emit makes an event of the buffer's bytes up to end.
func (s *stream) emit(end int, dst []*Event) ([]*Event, error) {
	ev := s.get()
	ev.Raw = append(ev.Raw, s.buf[s.head:end]...)
	for i := range s.ends {
		s.ends[i].text -= s.head
		s.ends[i].next -= s.head
	}
	err := s.read(ev)
	s.head, s.scanned, s.ends = end, end, s.ends[:0]
	if err != nil {
		return nil, err
	}
	return append(dst, ev), nil
}

var (
	fieldData = []byte("data")
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
	for _, end := range s.ends {
		from, to := start, end.text
		start = end.next
		if from == 0 && bytes.HasPrefix(ev.Raw, byteOrder) {
			from += len(byteOrder)
		}
		text := ev.Raw[from:to]
		colon := bytes.IndexByte(text, ':')
		if colon < 0 || !bytes.Equal(text[:colon], fieldData) {
			// Comments, other fields and unknown ones are read whole.
			if len(text) > 0 {
				ev.Pieces = append(ev.Pieces, Piece{Place: Place{Kind: Other, A: -1, B: -1}, Text: text, start: from, end: to})
			}
			continue
		}
		from += colon + 1
		if from < to && ev.Raw[from] == ' ' {
			from++
		}
		s.lines = append(s.lines, line{src: len(s.joined), raw: from})
		s.joined = append(append(s.joined, ev.Raw[from:to]...), '\n')
		dataEnd = to
	}
	defer func() { s.joined = s.joined[:0] }()
	if len(s.lines) == 0 || len(bytes.TrimSpace(s.joined)) == 0 {
		return nil
	}
	if len(s.lines) == 1 {
		data := ev.Raw[s.lines[0].raw:dataEnd]
		if bytes.Equal(data, doneMark) {
			return nil
		}
		return s.walker.walk(data, s.api.event, ev, s.lines[0].raw, nil)
	}
	// The text must stay while the event does, and joined is used again.
	return s.walker.walk(bytes.Clone(s.joined), s.api.event, ev, 0, s.lines)
}

func (s *stream) Passed(ev *Event, edited bool) {
	for i, at := range ev.envelope {
		if !edited && s.client.envelope[i] == nil && at.end > at.start {
			s.client.envelope[i] = bytes.Clone(ev.Raw[at.start:at.end])
		}
	}
	for _, index := range ev.open {
		if c := s.client.choice(index); c == nil {
			s.client.choices = append(s.client.choices, choiceState{index: index})
		}
	}
	for _, index := range ev.closed {
		if c := s.client.choice(index); c != nil {
			c.closed = true
		}
	}
}

func (c *client) choice(index int32) *choiceState {
	i := slices.IndexFunc(c.choices, func(s choiceState) bool { return s.index == index })
	if i < 0 {
		return nil
	}
	return &c.choices[i]
}

func (s *stream) Ending(dst, object []byte) []byte { return s.api.ending(dst, s.client, object) }
