package extproc

import (
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
// cannot be interrupted, and a silent Envoy must not be waited for without end.
// So the exchange waits in a goroutine of its own, and Process, which watches
// the time, may take the exchange over while it waits, and only then. (To hand
// each message from one goroutine to another would cost a tenth of what the
// processor adds to a round trip.)
type inbox struct {
	stream extprocv3.ExternalProcessor_ProcessServer
	timer  *time.Timer // fires when a wait may be over its deadline

	mu       sync.Mutex
	waiting  bool // the exchange is at rest, in Recv
	deadline time.Time
	over     error // why there is no next message, if it is known
}

func newInbox(stream extprocv3.ExternalProcessor_ProcessServer) *inbox {
	return &inbox{stream: stream, timer: time.NewTimer(time.Hour)}
}

// next returns the next message, or one of the errors above. After errTaken the
// exchange belongs to somebody else and must not be touched.
func (b *inbox) next(deadline time.Time) (*extprocv3.ProcessingRequest, error) {
	if err := b.wait(deadline); err != nil {
		return nil, err
	}
	m, err := b.stream.Recv()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = false
	if b.over != nil {
		return nil, errTaken
	}
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
	b.over = errShutdown
	return b.waiting
}
