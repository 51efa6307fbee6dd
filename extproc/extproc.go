// Package extproc is the external processor: the gRPC server to which Envoy
// hands every request and every response, message by message, and without
// whose word nothing goes on.
//
// One stream is one exchange, a request and its response. It has phases
// (request headers, body, trailers; then the same of the response), and the
// code of an [exchange] goes through them in that order. It knows phases and
// bytes; what the bytes say is package inspect's matter.
//
// The one thing never to do here is to let a stream end with status OK before
// both directions have been answered: Envoy then passes the rest on
// uninspected, whatever failure_mode_allow says (seen on Envoy 1.40; step 6 of
// the protocol in envoy/service/ext_proc/v3/external_processor.proto). Every
// error, panic, timeout and shutdown therefore ends in a reply that blocks, or
// in a status that is not OK.
package extproc

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/extproc/inspect"
	"github.com/difflabai/confidential-safety/verdict"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Recorder takes the verdict of each exchange, before the exchange is answered.
// If it fails, the exchange is blocked.
type Recorder interface {
	Record(ctx context.Context, requestID, api string, v verdict.External) error
}

// Timeouts are the processor's own, since Envoy has none in full duplex mode.
type Timeouts struct {
	Request  time.Duration // until a request has arrived whole
	Upstream time.Duration // until the response starts, and between two messages of it
	Response time.Duration // until the response has arrived whole
}

// Config is what a server needs. Every field but Observer must be set.
type Config struct {
	APIs          []*decode.API
	Inspector     *inspect.Inspector
	PolicyVersion string
	// Local answers the paths that the sidecar serves itself. A path that it
	// answers with 404 does not exist.
	Local    http.Handler
	Recorder Recorder
	Timeouts Timeouts
	MaxBody  int64 // bytes of a request, to refuse one by its content-length
	// MaxRequests is how many inspected exchanges may run at once.
	MaxRequests int
	NewID       func() string    // random, unguessable
	Now         func() time.Time // for verdicts
	Log         *slog.Logger
	Observer    Observer
}

// Server is the external processor.
type Server struct {
	extprocv3.UnimplementedExternalProcessorServer
	cfg Config

	stopping context.Context // done when running exchanges must end
	stop     context.CancelFunc

	// unrecorded: the last verdict could not be recorded. No request goes on
	// until one was, which those that are refused meanwhile try.
	unrecorded atomic.Bool

	active   atomic.Int64
	admitted atomic.Int64  // of those, the inspected ones, up to MaxRequests
	idle     chan struct{} // gets a token when active falls to 0
}

// New returns a server.
func New(cfg Config) *Server {
	if cfg.Observer == nil {
		cfg.Observer = nobody{}
	}
	s := &Server{cfg: cfg, idle: make(chan struct{}, 1)}
	s.stopping, s.stop = context.WithCancel(context.Background())
	return s
}

// Register makes g serve the processor. g must not limit messages below 1 MiB.
func (s *Server) Register(g *grpc.Server) { extprocv3.RegisterExternalProcessorServer(g, s) }

// Process implements the ext_proc service for one exchange.
func (s *Server) Process(stream extprocv3.ExternalProcessor_ProcessServer) (err error) {
	s.active.Add(1)
	defer func() {
		if s.active.Add(-1) == 0 {
			select {
			case s.idle <- struct{}{}:
			default:
			}
		}
	}()
	x := &exchange{reply: &reply{stream: stream, observer: s.cfg.Observer}}
	returned := false
	defer func() {
		switch {
		case recover() != nil:
			err = errPanic
		case !returned:
			// The goroutine ends (runtime.Goexit), so no status will be
			// returned. A reply tells Envoy.
			_ = x.refuse(refuseUnchecked, x.verdict)
		}
	}()
	s.cfg.Observer.Began()
	defer x.observed()
	defer x.release()
	x.begin(s)
	defer x.stop()
	defer x.inbox.close() // behind this the exchange is this goroutine's again
	err = x.own(x.run)
	if x.inbox.close() {
		err = x.inbox.err
	}
	if err == nil {
		x.response.Close() // Envoy may take its time
		x.inbox.linger()
	}
	returned = true
	return err
}

// errPanic ends a stream in which something panicked. The panic's value may
// hold content, so it is not looked at.
var errPanic = status.Error(codes.Internal, "panic")

// Drain waits until no exchange is running or ctx is done, and then ends those
// that still are, with a block. It returns once they have their answers and
// their verdicts, since the process may end then.
func (s *Server) Drain(ctx context.Context) {
	s.wait(ctx)
	s.stop()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	s.wait(ctx)
}

// endTimeout bounds the wait for exchanges that were told to end.
const endTimeout = 2 * time.Second

// wait waits until no exchange is running or ctx is done.
func (s *Server) wait(ctx context.Context) {
	for s.active.Load() > 0 {
		select {
		case <-s.idle:
		case <-ctx.Done():
			return
		}
	}
}
