package decode

import "bytes"

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
	started bool      // an event has been read
	joined  []byte    // scratch
	lines   []line    // scratch
	client  client
}

// lineEnd says where in buf a line's text ends and where the next line starts.
type lineEnd struct{ text, next int }

func newStream(a *API, l Limits) *stream {
	return &stream{api: a, limits: l, walker: walker{limits: l, stream: true, unknown: a.unknown, joins: a.joins}}
}

func (s *stream) Feed(p []byte, dst []*Event) ([]*Event, error) {
	for len(p) > 0 {
		// An event may not outgrow its limit, whatever the size of p.
		n := min(len(p), s.limits.Event+1-len(s.buf))
		s.buf = append(s.buf, p[:n]...)
		p = p[n:]
		var err error
		if dst, err = s.cut(dst, false); err != nil {
			return dst, err
		}
		s.compact()
		if len(s.buf) > s.limits.Event {
			return dst, &Error{TooLarge, s.limits.Event}
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
	if s.head == 0 {
		return
	}
	rest := s.buf[s.head:]
	s.buf = append(emptied(s.buf), rest...)
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
			return dst, err
		}
	}
}

// lineEnd finds the next end of line from scanned on. It looks for both kinds
// in one stretch after the other, so that neither's absence has all of the
// buffer searched again for each line.
func (s *stream) lineEnd(final bool) (at, next int, ok bool) {
	const stretch = 512
	for s.scanned < len(s.buf) {
		part := s.buf[s.scanned:min(s.scanned+stretch, len(s.buf))]
		lf := bytes.IndexByte(part, '\n')
		if lf >= 0 {
			part = part[:lf]
		}
		cr := bytes.IndexByte(part, '\r')
		switch {
		case cr < 0 && lf < 0:
			s.scanned += len(part)
			continue
		case cr < 0:
			return s.scanned + lf, s.scanned + lf + 1, true
		}
		at, next = s.scanned+cr, s.scanned+cr+1
		switch {
		case next < len(s.buf) && s.buf[next] == '\n':
			return at, next + 1, true
		case next < len(s.buf) || final:
			return at, next, true
		}
		s.scanned = at
		return 0, 0, false
	}
	return 0, 0, false
}

// emit makes an event of the buffer's bytes up to end.
func (s *stream) emit(end int, dst []*Event) ([]*Event, error) {
	if end-s.head > s.limits.Event {
		return dst, &Error{TooLarge, s.limits.Event}
	}
	ev := s.get()
	ev.Raw = append(ev.Raw, s.buf[s.head:end]...)
	for i := range s.ends {
		s.ends[i].text -= s.head
		s.ends[i].next -= s.head
	}
	err := s.read(ev)
	s.head, s.scanned, s.ends, s.started = end, end, s.ends[:0], true
	if err != nil {
		return dst, err
	}
	return append(dst, ev), nil
}
