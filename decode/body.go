package decode

// body reads a JSON body as one event.
type body struct {
	limits Limits
	rule   *rule
	joins  bool
	buf    []byte
}

func newBody(r *rule, l Limits, joins bool) *body {
	return &body{limits: l, rule: r, joins: joins}
}

func (b *body) Feed(p []byte, dst []*Event) ([]*Event, error) {
	if len(b.buf)+len(p) > b.limits.Body {
		return nil, &Error{TooLarge, b.limits.Body}
	}
	b.buf = append(b.buf, p...)
	return dst, nil
}

func (b *body) End(dst []*Event) ([]*Event, error) {
	if i := invalidUTF8(b.buf); i >= 0 {
		return nil, &Error{InvalidUTF8, i}
	}
	ev := &Event{Raw: b.buf}
	w := walker{limits: b.limits, joins: b.joins}
	if err := w.walk(ev.Raw, b.rule, ev, 0, nil); err != nil {
		return nil, err
	}
	return append(dst, ev), nil
}

func (b *body) Free(*Event) {}

func (b *body) Passed(*Event, bool) {}

func (b *body) Ending([]byte, Failure) []byte { return nil }
