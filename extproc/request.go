package extproc

import (
	"cmp"
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
	headers, err := x.requestHeaders()
	if err != nil {
		return err
	}
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

// requestHeaders reads the exchange's first message.
func (x *exchange) requestHeaders() (*corev3.HeaderMap, error) {
	m, err := x.inbox.next(x.due)
	if err != nil {
		return nil, err
	}
	if m.GetResponseHeaders() != nil {
		// Envoy refuses the request by itself, before we have seen it: an
		// upgrade, or what it cannot parse. That reply goes no further.
		return nil, refuseHTTP
	}
	head := m.GetRequestHeaders()
	if head == nil {
		return nil, errOrder
	}
	x.arrived = head.GetEndOfStream()
	headers := head.GetHeaders()
	x.sends = first(headers, ":method") == http.MethodPost && len(header(headers, "upgrade")) == 0
	return headers, nil
}

// passBody lets a request go on whose body passes.
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

// readBody reads the request to its end, and returns its trailers if they are
// that.
func (x *exchange) readBody(ctx context.Context, d *inspect.Direction) (trailers *corev3.HeaderMap, err error) {
	for !x.arrived {
		m, err := x.inbox.next(x.due)
		if err != nil {
			return nil, err
		}
		switch r := m.GetRequest().(type) {
		case *extprocv3.ProcessingRequest_RequestBody:
			x.arrived = r.RequestBody.GetEndOfStream()
			// Nothing of a request is judged before its end.
			if _, err := d.Write(ctx, r.RequestBody.GetBody()); err != nil {
				return nil, requestRefusal(err)
			}
		case *extprocv3.ProcessingRequest_RequestTrailers:
			x.arrived = true
			trailers = cmp.Or(r.RequestTrailers.GetTrailers(), &corev3.HeaderMap{})
		default:
			return nil, errOrder
		}
	}
	return trailers, nil
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
