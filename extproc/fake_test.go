package extproc

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// fakeStream is Envoy's end of one exchange. It holds what it is sent to the
// protocol: what no exchange may ever do fails the test, whichever it is.
type fakeStream struct {
	grpc.ServerStream // nil: nothing but Context, Recv and Send is to be used

	t      testing.TB
	ctx    context.Context
	cancel context.CancelFunc
	in     chan *extprocv3.ProcessingRequest
	over   chan struct{} // closed once both directions are answered, as Envoy ends the stream then

	mu        sync.Mutex
	failSends bool
	bodiless  bool          // the request's headers are all of it
	blocked   chan struct{} // if it is set, nothing is read until it is closed
	resets    bool          // the stream may be reset after the response headers
	trace     string        // see note
	sides     [2]sideState
	immediate *extprocv3.ImmediateResponse
	headers   [2]*extprocv3.HeadersResponse
	body      [2][]byte
}

type sideState struct{ headers, ended bool }

func newFakeStream(t testing.TB, buffered int) *fakeStream {
	ctx, cancel := context.WithCancel(context.Background())
	return &fakeStream{t: t, ctx: ctx, cancel: cancel, in: make(chan *extprocv3.ProcessingRequest, buffered), over: make(chan struct{})}
}

func (f *fakeStream) Context() context.Context { return f.ctx }

func (f *fakeStream) Recv() (*extprocv3.ProcessingRequest, error) {
	select {
	case m, ok := <-f.in:
		if !ok {
			return nil, io.EOF
		}
		if m.GetRequestHeaders().GetEndOfStream() {
			f.mu.Lock()
			f.bodiless = true
			f.mu.Unlock()
		}
		return m, nil
	case <-f.over:
		return nil, io.EOF
	case <-f.ctx.Done():
		return nil, status.FromContextError(f.ctx.Err()).Err()
	}
}

func (f *fakeStream) Send(r *extprocv3.ProcessingResponse) error {
	f.mu.Lock()
	blocked := f.blocked
	f.mu.Unlock()
	if blocked != nil {
		<-blocked
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failSends {
		return status.Error(codes.Unavailable, "transport is closing")
	}
	if f.immediate != nil {
		f.t.Error("reply after an immediate response")
	}
	switch r := r.GetResponse().(type) {
	case *extprocv3.ProcessingResponse_ImmediateResponse:
		if f.sides[index(response)].headers && !f.resets {
			f.t.Error("immediate response after the response headers: Envoy would reset the stream")
		}
		f.immediate = r.ImmediateResponse
		f.trace += " I" + strconv.Itoa(int(r.ImmediateResponse.GetStatus().GetCode()))
	case *extprocv3.ProcessingResponse_RequestHeaders:
		f.header(request, r.RequestHeaders)
	case *extprocv3.ProcessingResponse_ResponseHeaders:
		f.header(response, r.ResponseHeaders)
	case *extprocv3.ProcessingResponse_RequestBody:
		f.piece(request, r.RequestBody)
	case *extprocv3.ProcessingResponse_ResponseBody:
		f.piece(response, r.ResponseBody)
	case *extprocv3.ProcessingResponse_RequestTrailers:
		f.note(request, "T", true)
	case *extprocv3.ProcessingResponse_ResponseTrailers:
		f.note(response, "T", true)
	default:
		f.t.Errorf("unexpected reply %T", r)
	}
	if f.immediate != nil || f.sides[index(response)].ended {
		select {
		case <-f.over:
		default:
			close(f.over)
		}
	}
	return nil
}

// note adds a reply to the trace: H, B, T for headers, body and trailers, >
// for the request's and < for the response's, and a full stop where a body ends.
func (f *fakeStream) note(s side, what string, ends bool) {
	mark := ">"
	if s == response {
		mark = "<"
		if !f.sides[0].ended {
			f.t.Error("reply of the response before the request was answered")
		}
	}
	st := &f.sides[index(s)]
	if st.ended || st.headers == (what == "H") {
		f.t.Errorf("%s%s out of order", what, mark)
	}
	st.headers, st.ended = true, ends
	f.trace += " " + what + mark
	if what == "B" && ends {
		f.trace += "."
	}
}

func (f *fakeStream) header(s side, r *extprocv3.HeadersResponse) {
	f.note(s, "H", s == request && f.bodiless)
	f.headers[index(s)] = r
	c := r.GetResponse()
	if c.GetStatus() != 0 || c.GetBodyMutation() != nil || c.GetClearRouteCache() || c.GetTrailers() != nil {
		f.t.Error("headers reply with more than header mutations")
	}
}

func (f *fakeStream) piece(s side, r *extprocv3.BodyResponse) {
	piece := r.GetResponse().GetBodyMutation().GetStreamedResponse()
	if piece == nil || r.GetResponse().GetHeaderMutation() != nil {
		f.t.Error("body reply that is not a streamed response alone")
	}
	if n := len(piece.GetBody()); n > 64<<10 || n == 0 && !piece.GetEndOfStream() {
		f.t.Errorf("piece of %d bytes", n)
	}
	f.note(s, "B", piece.GetEndOfStream())
	// A copy, as gRPC's is: the bytes are the sender's to use again.
	f.body[index(s)] = append(f.body[index(s)], piece.GetBody()...)
}

func index(s side) int {
	if s == response {
		return 1
	}
	return 0
}

// answered reports whether both directions have their answer.
func (f *fakeStream) answered() bool {
	return f.immediate != nil || f.sides[0].ended && f.sides[1].ended
}

// serve runs a whole exchange and checks how it ended: with OK only when both
// directions had been answered, since Envoy passes on what had not.
func (f *fakeStream) serve(s *Server) error {
	err := s.Process(f)
	f.cancel()
	f.mu.Lock()
	defer f.mu.Unlock()
	if status.Code(err) == codes.OK && !f.answered() {
		f.t.Errorf("stream ended with OK after%s: the rest would pass uninspected", f.trace)
	}
	return err
}

// talk is an exchange under test, in a synctest bubble.
type talk struct {
	*fakeStream
	done chan struct{}
	err  error
}

func begin(t *testing.T, s *Server) *talk {
	e := &talk{fakeStream: newFakeStream(t, 0), done: make(chan struct{})}
	go func() {
		defer close(e.done)
		e.err = e.serve(s)
	}()
	t.Cleanup(func() { e.cancel(); <-e.done })
	return e
}

// send sends messages, each when all is quiet.
func (e *talk) send(messages ...*extprocv3.ProcessingRequest) {
	for _, m := range messages {
		select {
		case e.in <- m:
		case <-e.done:
		}
		synctest.Wait()
	}
}

// expect checks the trace so far.
func (e *talk) expect(trace string) {
	e.t.Helper()
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	if trace != "" {
		trace = " " + trace
	}
	if e.trace != trace {
		e.t.Fatalf("replies%s\nwant   %s", e.trace, trace)
	}
}

var errRunning = errors.New("still running")

// result is what the stream ended with.
func (e *talk) result() error {
	synctest.Wait()
	select {
	case <-e.done:
		return e.err
	default:
		return errRunning
	}
}

// expectEnd checks the whole trace and the status.
func (e *talk) expectEnd(trace string, code codes.Code) {
	e.t.Helper()
	e.expect(trace)
	if err := e.result(); errors.Is(err, errRunning) || status.Code(err) != code {
		e.t.Fatalf("ended with %v, want %v", err, code)
	}
}
