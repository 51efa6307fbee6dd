package extproc

import (
	"errors"
	"time"
)

// discard waits for the rest of a request that is refused, as long as it comes
// without a pause and is no more than a few times what is accepted. A client that is
// answered while it still sends may not read the answer: curl's HTTP/2 and
// simple HTTP/1.1 clients then report a broken connection instead.
func (x *exchange) discard(r *refusal) error {
	x.late, x.refused = r, true
	for left := maxDiscards * x.srv.cfg.MaxBody; !x.arrived && left > 0; {
		soon := time.Now().Add(maxPause)
		if soon.After(x.due) {
			soon = x.due
		}
		m, err := x.inbox.next(soon)
		if errors.Is(err, errDeadline) {
			return r
		}
		if err != nil {
			return err
		}
		body := m.GetRequestBody()
		left -= int64(len(body.GetBody()))
		x.arrived = body.GetEndOfStream() || m.GetRequestTrailers() != nil
		if body == nil && !x.arrived {
			return errOrder
		}
	}
	return r
}

const (
	// maxDiscards is how many times the largest request is read and thrown away.
	maxDiscards = 16
	// maxPause is how long a client may pause that has not sent all of it. One
	// that waits for the answer gets it then.
	maxPause = time.Second
)
