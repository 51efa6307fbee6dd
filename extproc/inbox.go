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
	errStuck    = errors.New("no progress")
	errTaken    = errors.New("exchange was taken over")
)

// inbox receives a stream's messages. gRPC's Recv can be given no deadline and
// cannot be interrupted, and a silent upstream must not be waited for without
// end. So a watch may take the exchange over while it waits for a message, and
// only then, and answer in its stead; Envoy ends the stream upon that. (To hand
// each message from a goroutine that receives to one that inspects would cost a
// tenth of what the processor adds to a round trip.)
//
// An exchange that does not wait is at work on a message. If that takes longer
// than its patience, whoever it waits for is told so by the context and, if that
// does not help, the exchange is seized and left to itself.
type inbox struct {
	stream   extprocv3.ExternalProcessor_ProcessServer
	observer Observer
	timer    *time.Timer
	unwatch  func() bool
	patience time.Duration
	worker   worker

	mu       sync.Mutex
	waiting  bool // the exchange is at rest, in Recv
	deadline time.Time
	over     error // why there is no next message, if it is known
	messages int   // received so far
	found    int   // messages, received and sent, when the timer last found the exchange at work
	strikes  int   // how often since then it found no more of them
	took     bool  // the watch has taken the exchange over

	taken chan struct{} // closed when whoever took the exchange over is done
	err   error         // what came of that; to be read once close has returned
}

// worker is the exchange as its inbox knows it. All but end is called while the
// exchange is at work, too.
type worker interface {
	// end is called by the watch with the reason when a wait is over its
	// deadline or the server is stopping, or when the exchange was seized. The
	// exchange then belongs to the watch.
	end(reason error) error
	replies() int // messages sent so far, or -1 while it waits for Envoy to read one
	cancel()
	seize() bool // it can send nothing any more, unless it is sending
}

// newInbox returns the inbox of a stream, which is watched until it is closed.
func newInbox(stopping context.Context, stream extprocv3.ExternalProcessor_ProcessServer, patience time.Duration, o Observer, w worker) *inbox {
	b := &inbox{stream: stream, observer: o, patience: patience, worker: w, taken: make(chan struct{})}
	take := func(reason error) {
		b.err = errPanic // unless end returns
		defer close(b.taken)
		defer func() { _ = recover() }()
		b.err = w.end(reason)
	}
	b.timer = time.AfterFunc(time.Hour, func() {
		if reason := b.overdue(); reason != nil {
			take(reason)
		}
	})
	b.unwatch = context.AfterFunc(stopping, func() {
		if b.shut() {
			take(errShutdown)
		}
	})
	return b
}

// close ends the watch. If that has taken the exchange over, close waits until it
// is done, and reports so.
func (b *inbox) close() bool {
	b.mu.Lock()
	if b.over == nil {
		b.over = errStream
	}
	b.timer.Stop()
	took := b.took
	b.mu.Unlock()
	b.unwatch()
	if took {
		<-b.taken
	}
	return took
}

// next returns the next message, or one of the errors above. After errTaken the
// exchange belongs to the watch and must not be touched.
func (b *inbox) next(deadline time.Time) (*extprocv3.ProcessingRequest, error) {
	if err := b.wait(deadline); err != nil {
		return nil, err
	}
	m, err := b.stream.Recv()
	switch {
	case !b.goOn():
		return nil, errTaken
	case err != nil:
		return nil, errStream
	}
	b.arrived(m)
	return m, nil
}

// goOn ends a wait. It reports whether the exchange still is its owner's.
func (b *inbox) goOn() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over != nil {
		return false
	}
	b.waiting = false
	b.messages++
	return true
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

// overdue looks at what the exchange does, now that the timer has fired, and
// returns why it is to be taken over, if it is.
func (b *inbox) overdue() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case errors.Is(b.over, errShutdown) && !b.took:
		b.worker.cancel() // it is still at work, and the process ends
		return nil
	case b.over != nil:
		return nil
	case b.waiting:
		// The timer may have fired for an earlier wait.
		if left := time.Until(b.deadline); left > 0 {
			b.timer.Reset(left)
			return nil
		}
		b.over, b.took = errDeadline, true
		return errDeadline
	}
	b.timer.Reset(b.patience)
	sent := b.worker.replies()
	if n := b.messages + sent; sent < 0 || n != b.found {
		b.found, b.strikes = n, 0
		return nil
	}
	b.strikes++
	switch {
	case b.strikes == 1:
		b.worker.cancel()
		return nil
	case !b.worker.seize():
		return nil
	}
	b.over, b.took = errTaken, true
	return errStuck
}

// shut ends the exchange's messages. It takes it over if it waits for one, and
// otherwise leaves it to find out, for a while.
func (b *inbox) shut() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over != nil {
		return false
	}
	b.over, b.took = errShutdown, b.waiting
	if !b.took {
		b.timer.Reset(endTimeout / 2)
	}
	return b.took
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
