package extproc

import (
	"errors"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
)

// The reasons why no further message comes.
var (
	errStream   = errors.New("stream ended by Envoy") // the client or the upstream went, or Envoy stopped
	errDeadline = errors.New("deadline passed")
	errShutdown = errors.New("shutting down")
)

// pump receives a stream's messages in a goroutine of its own, so that the
// exchange can wait for a deadline as well as for a message: gRPC's Recv cannot
// be given one, and a silent Envoy must not be waited for without end.
type pump struct {
	in    chan *extprocv3.ProcessingRequest
	done  chan struct{}
	stop  <-chan struct{}
	timer *time.Timer
}

func newPump(stream extprocv3.ExternalProcessor_ProcessServer, stop <-chan struct{}) *pump {
	p := &pump{
		in:    make(chan *extprocv3.ProcessingRequest),
		done:  make(chan struct{}),
		stop:  stop,
		timer: time.NewTimer(time.Hour),
	}
	go func() {
		defer close(p.in)
		for {
			// Recv ends at the latest when Process returns.
			m, err := stream.Recv()
			if err != nil {
				return
			}
			select {
			case p.in <- m:
			case <-p.done:
				return
			}
		}
	}()
	return p
}

// next returns the next message, or one of the errors above.
func (p *pump) next(timeout time.Duration) (*extprocv3.ProcessingRequest, error) {
	select {
	case <-p.stop: // even if there is a message, too
		return nil, errShutdown
	default:
	}
	if timeout <= 0 {
		return nil, errDeadline
	}
	p.timer.Reset(timeout)
	select {
	case m, ok := <-p.in:
		if !ok {
			return nil, errStream
		}
		return m, nil
	case <-p.timer.C:
		return nil, errDeadline
	case <-p.stop:
		return nil, errShutdown
	}
}

func (p *pump) close() {
	close(p.done)
	p.timer.Stop()
}
