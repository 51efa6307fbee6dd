package extproc

import (
	"cmp"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"github.com/difflabai/confidential-safety/extproc/inspect"
	"github.com/difflabai/confidential-safety/verdict"
)

// readResponse sends the response on as far as it is cleared. Its headers wait
// for the first words that are, so that an early block is a status of its own.
func (x *exchange) readResponse() error {
	x.late = refuseUpstreamTimeout
	x.due = time.Now().Add(x.srv.cfg.Timeouts.Response)
	m, err := x.nextOfResponse()
	if err != nil {
		return err
	}
	head := m.GetResponseHeaders()
	if head == nil {
		return errOrder
	}
	x.head = head.GetHeaders()
	switch media := mediaType(x.head); {
	case encoded(x.head), !finalStatus(x.head):
		x.response = x.srv.cfg.Inspector.Response(x.api) // for the stage
		return refuseUpstream
	case media == sseMedia && x.api.Streams():
		x.response = x.srv.cfg.Inspector.Stream(x.api)
	case media == jsonMedia:
		x.response = x.srv.cfg.Inspector.Response(x.api)
	default:
		x.response = x.srv.cfg.Inspector.Response(x.api)
		return refuseUpstream
	}
	if head.GetEndOfStream() {
		return refuseUpstream // neither is ever empty
	}
	for {
		m, err := x.nextOfResponse()
		if err != nil {
			return err
		}
		switch r := m.GetRequest().(type) {
		case *extprocv3.ProcessingRequest_ResponseBody:
			if err := x.inspect(r.ResponseBody.GetBody()); err != nil {
				return err
			}
			if r.ResponseBody.GetEndOfStream() {
				return x.finish(nil)
			}
		case *extprocv3.ProcessingRequest_ResponseTrailers:
			return x.finish(cmp.Or(r.ResponseTrailers.GetTrailers(), &corev3.HeaderMap{}))
		default:
			return errOrder
		}
	}
}

// inspect has bytes of the response inspected and sends on what is cleared, little
// by little: a client that does not read stops the exchange in the middle, and
// what was made of the bytes waits with it.
func (x *exchange) inspect(body []byte) error {
	for {
		n := min(len(body), atOnce)
		step, err := x.response.Write(x.ctx, body[:n])
		if err := x.pass(step, err); err != nil {
			return err
		}
		if body = body[n:]; len(body) == 0 {
			return nil
		}
	}
}

// atOnce is how many bytes of a response are inspected in one step.
const atOnce = 32 << 10

func (x *exchange) nextOfResponse() (*extprocv3.ProcessingRequest, error) {
	now := time.Now()
	soon := now.Add(x.srv.cfg.Timeouts.Upstream)
	if x.ended() && x.endBy.IsZero() {
		x.endBy = now.Add(maxPause)
	}
	if x.ended() {
		soon = x.endBy
	}
	if soon.After(x.due) {
		soon = x.due // else a stream of comments would go on for ever
	}
	return x.inbox.next(soon)
}

// ended reports whether all of the response is there but for the upstream's
// word that it is. Some servers keep the connection open.
func (x *exchange) ended() bool { return x.response != nil && x.response.Ended() }

// pass sends on what a step of the inspection released.
func (x *exchange) pass(step inspect.Step, err error) error {
	switch {
	case err != nil:
		return responseRefusal(err)
	case step.Blocked:
		x.decision = x.response.Decision()
		return refuseBlocked
	case len(step.Release) == 0:
		return nil
	}
	if err := x.start(unknownLength); err != nil {
		return err
	}
	return x.bodyPieces(response, step.Release, false)
}

// start sends the response headers on, once.
func (x *exchange) start(length int) error {
	if x.started {
		return nil
	}
	return x.headers(response, x.head, keepResponseHeader, length)
}

// finish inspects what remains of the response and records the verdict before
// the last of it is sent.
func (x *exchange) finish(trailers *corev3.HeaderMap) error {
	step, err := x.response.End(x.ctx)
	if err != nil {
		return responseRefusal(err)
	}
	if step.Blocked {
		x.decision = x.response.Decision()
		return refuseBlocked
	}
	d := x.strongest()
	if d.Action == verdict.Block {
		return errOrder // a blocked request has no response
	}
	if x.conclude(d) != nil {
		return refuseUnchecked
	}
	if err := x.start(len(step.Release)); err != nil {
		return err
	}
	if err := x.bodyPieces(response, step.Release, trailers == nil); err != nil {
		return err
	}
	if trailers != nil {
		return x.trailers(response, trailers)
	}
	return nil
}
