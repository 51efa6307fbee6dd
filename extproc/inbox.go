package extproc

import (
	"context"
	"errors"
	"sync"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
)

// The reasons why no further message comes.
var (
	errStream   = errors.New("stream ended by Envoy") // the client or the upstream went, or Envoy stopped
	errDeadline = errors.New("deadline passed")
	errShutdown = errors.New("shutting down")
	errTaken    = errors.New("exchange was taken over")
)

// inbox receives a stream's messages. gRPC's Recv can be given no deadline and
// cannot be interrupted, and a silent upstream must not be waited for without
// end. So a watch may take the exchange over while it waits for a message, and
// only then, and answer in its stead; Envoy ends the stream upon that. (To hand
// each message from a goroutine that receives to one that inspects would cost a
// tenth of what the processor adds to a round trip.)
type inbox struct {
	stream  extprocv3.ExternalProcessor_ProcessServer
	timer   *time.Timer
	unwatch func() bool

	mu       sync.Mutex
	waiting  bool // the exchange is at rest, in Recv
	deadline time.Time
	over     error // why there is no next message, if it is known

	taken chan struct{} // closed when whoever took the exchange over is done
	err   error         // what came of that; to be read once taken is closed
}

// newInbox returns the inbox of a stream. When a wait is over its deadline, or
// stopping is done, end is called with the reason by the watch, to which the
// exchange then belongs.
func newInbox(stopping context.Context, stream extprocv3.ExternalProcessor_ProcessServer, end func(error) error) *inbox {
	b := &inbox{stream: stream, taken: make(chan struct{})}
	take := func(reason error) {
		b.err = errPanic // unless end returns
		defer close(b.taken)
		defer func() { _ = recover() }()
		b.err = end(reason)
	}
	b.timer = time.AfterFunc(time.Hour, func() {
		if b.takeLate() {
			take(errDeadline)
		}
	})
	b.unwatch = context.AfterFunc(stopping, func() {
		if b.shut() {
			take(errShutdown)
		}
	})
	return b
}

// close ends the watch.
func (b *inbox) close() {
	b.timer.Stop()
	b.unwatch()
}

// next returns the next message, or one of the errors above. After errTaken the
// exchange belongs to the watch and must not be touched.
func (b *inbox) next(deadline time.Time) (*extprocv3.ProcessingRequest, error) {
	if err := b.wait(deadline); err != nil {
		return nil, err
	}
	m, err := b.stream.Recv()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over != nil {
		return nil, errTaken
	}
	b.waiting = false
	if err != nil {
		return nil, errStream
	}
	return m, nil
}

func (b *inbox) wait(deadline time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over != nil {
		return b.over
	}
	left := time.Until(deadline)
	if left <= 0 {
		return errDeadline
	}
	b.waiting, b.deadline = true, deadline
	b.timer.Reset(left)
	return nil
}

// takeLate takes over an exchange that has waited past its deadline.
func (b *inbox) takeLate() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	// The timer may have fired for an earlier wait.
	if !b.waiting || b.over != nil || time.Now().Before(b.deadline) {
		return false
	}
	b.over = errDeadline
	return true
}

// shut ends the exchange's messages. It takes it over if it waits for one, and
// otherwise leaves it to find out.
func (b *inbox) shut() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over != nil {
		return false
	}
	b.over = errShutdown
	return b.waiting
}

// linger waits until Envoy ends a stream whose both directions have been
// answered. To end it first would be correct, but would have Envoy work on that
// while the client waits for the answer.
func (b *inbox) linger() {
	for {
		if _, err := b.stream.Recv(); err != nil {
			return
		}
	}
}
