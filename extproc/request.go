package extproc

import (
	"errors"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"github.com/difflabai/confidential-safety/decode"
)

// errAnswered says that the client has its answer and the exchange is over.
var errAnswered = errors.New("answered")

// readRequest holds the request, headers and all, until its verdict, and then
// lets it go on. Until then Envoy has not even chosen an upstream connection.
func (x *exchange) readRequest() error {
	arrival := time.Now().Add(x.srv.cfg.Timeouts.Request)
	m, err := x.inbox.next(arrival)
	if err != nil {
		return err
	}
	head := m.GetRequestHeaders()
	if head == nil {
		// A reply of Envoy's own to a request that we have never seen.
		return errOrder
	}
	headers := head.GetHeaders()
	api, ok := decode.Lookup(x.srv.cfg.APIs, first(headers, ":method"), first(headers, ":path"))
	if !ok {
		return x.local(headers)
	}
	x.api, x.late = api, refuseTimeout
	if err := x.acceptRequest(headers, head.GetEndOfStream()); err != nil {
		return err
	}

	d := x.srv.cfg.Inspector.Request(api)
	trailers := (*corev3.HeaderMap)(nil)
	for ended := false; !ended; {
		m, err := x.inbox.next(arrival)
		if err != nil {
			return err
		}
		switch r := m.GetRequest().(type) {
		case *extprocv3.ProcessingRequest_RequestBody:
			if _, err := d.Write(x.ctx, r.RequestBody.GetBody()); err != nil {
				return requestRefusal(err)
			}
			ended = r.RequestBody.GetEndOfStream()
		case *extprocv3.ProcessingRequest_RequestTrailers:
			trailers, ended = r.RequestTrailers.GetTrailers(), true
			if trailers == nil {
				trailers = &corev3.HeaderMap{}
			}
		default:
			return errOrder
		}
	}
	step, err := d.End(x.ctx)
	if err != nil {
		return requestRefusal(err)
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

// acceptRequest refuses what cannot be an inspected request, before its body.
func (x *exchange) acceptRequest(headers *corev3.HeaderMap, bodyless bool) error {
	switch {
	case len(header(headers, "upgrade")) > 0:
		return refuseUpgrade
	case encoded(headers):
		return refuseEncoding
	case mediaType(headers) != jsonMedia:
		return refuseMediaType
	case contentLength(headers) > x.srv.cfg.MaxBody:
		return refuseTooLarge
	case bodyless:
		return refuseMalformed
	}
	return nil
}
