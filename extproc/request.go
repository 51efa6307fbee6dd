package extproc

import (
	"context"
	"errors"
	"net/http"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/extproc/inspect"
)

// errAnswered says that the client has its answer and the exchange is over.
var errAnswered = errors.New("answered")

// readRequest holds the request, headers and all, until its verdict, and then
// lets it go on. Until then Envoy has not even chosen an upstream connection.
func (x *exchange) readRequest() error {
	x.due = time.Now().Add(x.srv.cfg.Timeouts.Request)
	m, err := x.inbox.next(x.due)
	if err != nil {
		return err
	}
	head := m.GetRequestHeaders()
	if m.GetResponseHeaders() != nil {
		// Envoy refuses the request by itself, before we have seen it: an
		// upgrade, or what it cannot parse. That reply goes no further.
		return refuseHTTP
	}
	if head == nil {
		return errOrder
	}
	x.arrived = head.GetEndOfStream()
	headers := head.GetHeaders()
	x.sends = first(headers, ":method") == http.MethodPost && len(header(headers, "upgrade")) == 0
	api, ok := decode.Lookup(x.srv.cfg.APIs, first(headers, ":method"), first(headers, ":path"))
	if !ok {
		return x.local(headers)
	}
	x.api, x.late = api, refuseTimeout
	if err := x.admit(); err != nil {
		return err
	}
	if err := x.acceptRequest(headers); err != nil {
		return err
	}
	if !api.HasBody() {
		return x.passHeaders(headers)
	}
	return x.passBody(headers)
}

// passBody lets a request go on once all of its body has been read and cleared.
func (x *exchange) passBody(headers *corev3.HeaderMap) error {
	ctx, cancel := context.WithDeadline(x.ctx, x.due)
	defer cancel()
	d := x.srv.cfg.Inspector.Request(x.api)
	defer d.Close()
	trailers, err := x.readBody(ctx, d)
	if err != nil {
		return err
	}
	step, err := d.End(ctx)
	if err != nil {
		return requestRefusal(err)
	}
	if !step.Blocked && x.srv.unrecorded.Load() {
		return refuseUnchecked
	}
	x.decision = d.Decision()
	if step.Blocked {
		return refuseBlocked
	}
	if err := x.headers(request, headers, keepRequestHeader, len(step.Release)); err != nil {
		return err
	}
	if err := x.bodyPieces(request, step.Release, trailers == nil); err != nil {
		return err
	}
	if trailers != nil {
		return x.trailers(request, trailers)
	}
	return nil
}

// readBody hands the request's body to d as it arrives. The trailers are nil
// unless the body ends with some.
func (x *exchange) readBody(ctx context.Context, d *inspect.Direction) (*corev3.HeaderMap, error) {
	for !x.arrived {
		m, err := x.inbox.next(x.due)
		if err != nil {
			return nil, err
		}
		switch r := m.GetRequest().(type) {
		case *extprocv3.ProcessingRequest_RequestBody:
			x.arrived = r.RequestBody.GetEndOfStream()
			if _, err := d.Write(ctx, r.RequestBody.GetBody()); err != nil {
				return nil, requestRefusal(err)
			}
		case *extprocv3.ProcessingRequest_RequestTrailers:
			x.arrived = true
			if trailers := r.RequestTrailers.GetTrailers(); trailers != nil {
				return trailers, nil
			}
			return &corev3.HeaderMap{}, nil
		default:
			return nil, errOrder
		}
	}
	return nil, nil
}

// passHeaders lets a request go on that has no body.
func (x *exchange) passHeaders(headers *corev3.HeaderMap) error {
	empty := !x.arrived // its end comes by itself
	for !x.arrived {
		m, err := x.inbox.next(x.due)
		if err != nil {
			return err
		}
		body := m.GetRequestBody()
		if body == nil || len(body.GetBody()) > 0 {
			return refuseBody
		}
		x.arrived = body.GetEndOfStream()
	}
	if x.srv.unrecorded.Load() {
		return refuseUnchecked
	}
	if err := x.headers(request, headers, keepRequestHeader, unknownLength); err != nil || !empty {
		return err
	}
	return x.bodyPieces(request, nil, true)
}

// acceptRequest refuses what cannot be an inspected request, before its body.
func (x *exchange) acceptRequest(headers *corev3.HeaderMap) error {
	switch {
	case len(header(headers, "upgrade")) > 0:
		return refuseUpgrade
	case encoded(headers):
		return refuseEncoding
	case !x.api.HasBody():
		return nil
	case mediaType(headers) != jsonMedia:
		return refuseMediaType
	case contentLength(headers) > x.srv.cfg.MaxBody:
		return refuseTooLarge
	case x.arrived: // without a body
		return refuseMalformed
	}
	return nil
}

// discard waits for the rest of a request that is refused, as long as it comes
// without a pause and is no more than a few times what is accepted. A client that is
// answered while it still sends may not read the answer: curl's HTTP/2 and
// simple HTTP/1.1 clients then report a broken connection instead.
func (x *exchange) discard(r *refusal) error {
	x.late = r
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
