package extproc

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/difflabai/confidential-safety/extproc/inspect"
	"github.com/difflabai/confidential-safety/verdict"
)

// exchange is one request and its response. One goroutine owns all of it: that
// of Process until, if ever, the inbox's watch takes the exchange over.
type exchange struct {
	*reply
	srv     *Server
	inbox   *inbox
	ctx     context.Context
	stop    context.CancelFunc // of ctx
	due     time.Time          // when the request, then the response, must have arrived
	arrived bool               // all of it has
	sends   bool               // it has a body that ends
	// late is how the exchange is refused if the message it waits for does not
	// come in time.
	late    *refusal
	refused bool // it is, once the rest of the request is there or does not come

	decision verdict.Decision
	verdict  *verdict.External // set once it is recorded, or that was tried
	instead  *verdict.External // the same of who seized it
	recorder atomic.Int32      // who may record one: nobody yet, the owner or who seized it
	recorded bool              // it is on record
	exempt   bool              // it need not be
	code     string            // of its refusal
	admitted bool              // it counts among those that run at once
	response *inspect.Direction
	head     *corev3.HeaderMap // of the response
	endBy    time.Time         // when a stream whose end mark came is over
	gone     bool              // Envoy, or one of those for whom it speaks
}

// errOrder is a message that may not come in this phase. It can be no client's
// doing, so the stream just ends.
var errOrder = errors.New("message out of order")

// begin makes x the exchange of its stream.
func (x *exchange) begin(s *Server) {
	x.srv, x.late = s, refuseUnchecked
	x.ctx, x.stop = context.WithCancel(x.stream.Context())
	x.id = s.cfg.NewID()
	x.inbox = newInbox(s.stopping, x.stream, s.cfg.Timeouts.Request, s.cfg.Observer, (*watched)(x))
}

// own does what the exchange's owner does last, f, and concludes the exchange,
// unless it was taken over. A panic ends in a status that is not OK.
func (x *exchange) own(f func() error) (err error) {
	defer func() {
		if recover() != nil {
			x.srv.cfg.Log.Error("exchange panicked and was blocked", "request_id", x.id)
			x.srv.cfg.Observer.Noticed(EventPanic)
			err = errPanic
		}
	}()
	defer func() {
		if !errors.Is(err, errTaken) {
			x.close() // before the recover: recording may panic too
		}
	}()
	return f()
}

// run takes the exchange through its phases. It returns nil only when both
// directions have been answered.
func (x *exchange) run() error {
	err := x.readRequest()
	var r *refusal
	switch {
	case err == nil:
		err = x.readResponse()
	case errors.As(err, &r) && x.sends && !x.arrived && !x.srv.crowded():
		err = x.discard(r)
	}
	return x.end(err)
}

// end answers what went wrong, if anything did.
func (x *exchange) end(err error) error {
	if (errors.Is(err, errDeadline) || errors.Is(err, errShutdown)) && x.ended() {
		err = x.finish(nil)
	}
	if errors.Is(err, refuseUnchecked) && x.stream.Context().Err() != nil {
		err = errStream // why the classifiers, told so by the context, gave up
	}
	var r *refusal
	switch {
	case err == nil || errors.Is(err, errAnswered):
		return nil
	case errors.As(err, &r):
	case errors.Is(err, errTaken):
		return errTaken
	case errors.Is(err, errDeadline):
		if r = x.late; !x.refused {
			x.srv.cfg.Observer.Noticed(EventDeadline)
		}
	case errors.Is(err, errShutdown):
		r = refuseUnchecked
		x.srv.cfg.Observer.Noticed(EventShutdown)
	case errors.Is(err, errStream):
		x.gone = true
		return status.Error(codes.Aborted, errStream.Error())
	default:
		x.gone = !errors.Is(err, errOrder) // else a reply could not be sent
		return status.Error(codes.Internal, "exchange failed")
	}
	d := verdict.Decision{Stage: x.stage(), Action: verdict.Block, Category: verdict.Unavailable}
	if r == refuseBlocked {
		d = x.decision
	}
	if x.api != nil {
		if r != refuseBlocked {
			x.srv.cfg.Log.Info("exchange refused", "request_id", x.id, "code", r.code, "stage", string(d.Stage))
		}
		if x.conclude(d) != nil {
			r = refuseUnchecked
		}
	}
	x.code = r.code
	if x.started {
		// All but a stream of events is held whole, so this is one.
		return x.bodyPieces(response, x.response.Ending(nil, r.failure(x.id, x.verdict)), true)
	}
	return x.refuse(r, x.verdict)
}

// close ends what run left: an exchange without a verdict gets one.
func (x *exchange) close() {
	if x.api == nil || x.verdict != nil {
		return
	}
	d := verdict.Decision{Stage: x.stage(), Action: verdict.Block, Category: verdict.Unavailable}
	if x.started && x.gone {
		d = x.strongest() // what was sent had been cleared
	}
	if err := x.conclude(d); err != nil {
		x.srv.cfg.Log.Error("verdict of an ended exchange was not recorded", "request_id", x.id)
	}
}
