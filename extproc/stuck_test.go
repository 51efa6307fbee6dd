package extproc

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"

	"github.com/difflabai/confidential-safety/verdict"
)

// soon is well over what an exchange may take before it is given up.
const soon = upstreamTime + 4*requestTime

// A classifier that takes as long as it is let ends with the exchange's
// patience, wherever it is asked.
func TestSlowClassifierIsCancelled(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house, e *talk, i int) {
		h.faulty.wait = true
		e.send(rest(i)...)
		time.Sleep(soon)
		synctest.Wait()
		e.expectRefused(t, places[i].started)
		h.recorder.expect(t, lastStage(i), verdict.Block, verdict.Unavailable)
	})
}

// One that heeds nothing is left behind: the client is told, there is a verdict,
// and what it says later counts for nothing.
func TestStuckClassifier(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house, e *talk, i int) {
		release := make(chan struct{})
		h.trap.set.Store(&trapped{"Write", func() { <-release }})
		e.mayReset()
		go e.push(rest(i)...)
		time.Sleep(soon)
		synctest.Wait()
		if e.mu.Lock(); e.immediate.GetStatus().GetCode() != 503 {
			t.Errorf("the client is not told: %s", e.trace)
		}
		trace := e.trace
		e.mu.Unlock()
		h.recorder.expect(t, lastStage(i), verdict.Block, verdict.Unavailable)
		h.trap.set.Store(nil)
		close(release)
		synctest.Wait()
		if e.mu.Lock(); e.trace != trace {
			t.Errorf("more was sent: %s", e.trace)
		}
		e.mu.Unlock()
		if err := e.result(); err == nil || errors.Is(err, errRunning) {
			t.Errorf("ended with %v", err)
		}
		h.recorder.expect(t, lastStage(i), verdict.Block, verdict.Unavailable)
	})
}

// A record that does not come to an end is waited for no longer.
func TestStuckRecorder(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		release := make(chan struct{})
		h.trap.set.Store(&trapped{"Record", func() { <-release }})
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("hi"), true), respJSON(), respBody(says("hi"), true))
		time.Sleep(soon)
		e.expect("H> B>. I503")
		close(release)
		synctest.Wait()
		e.expect("H> B>. I503")
		h.recorder.expect(t, verdict.PostInferenceGate, verdict.Allow, verdict.None)
	})
}

// Envoy reads no more, since its client does not: that is nobody's fault but
// the client's, and the exchange goes on when it does.
func TestSlowClientIsNotGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("hi"), true), respSSE())
		reads := make(chan struct{})
		e.mu.Lock()
		e.blocked = reads
		e.mu.Unlock()
		go e.push(respBody(event("one. "), false))
		time.Sleep(soon)
		close(reads)
		synctest.Wait()
		e.send(respBody(event("two. "), false), respBody(doneEvent, true))
		e.expectEnd("H> B>. H< B< B< B<.", codes.OK)
		h.recorder.expect(t, verdict.PostInferenceGate, verdict.Allow, verdict.None)
	})
}

// What has been sent since the watch last looked is progress, too: an exchange
// that is at work when it looks again has not been at it all the while.
func TestWorkAfterASlowClient(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("hi"), true), respSSE())
		reads := make(chan struct{})
		e.mu.Lock()
		e.blocked = reads
		e.mu.Unlock()
		long := strings.Repeat("day ", atOnce/4) // inspected after the first is sent
		go e.push(respBody(event("one. ")+event(long), false))
		time.Sleep(upstreamTime + 2*requestTime - time.Second)
		h.trap.set.Store(&trapped{"Write", func() {
			h.trap.set.Store(nil)
			time.Sleep(requestTime / 2)
		}})
		close(reads)
		time.Sleep(requestTime)
		e.send(respBody(doneEvent, true))
		e.expectEnd("H> B>. H< B< B< B<.", codes.OK)
		if got, want := string(e.body[1]), event("one. ")+event(long)+doneEvent; got != want {
			t.Errorf("%d bytes, want %d, ending in %q", len(got), len(want), got[len(got)-40:])
		}
	})
}

// push sends messages as they are received.
func (e *talk) push(messages ...*extprocv3.ProcessingRequest) {
	for _, m := range messages {
		select {
		case e.in <- m:
		case <-e.done:
			return
		}
	}
}

// expectRefused checks that the exchange ended with a refusal that says that it
// could not be checked.
func (e *talk) expectRefused(t *testing.T, started bool) {
	e.t.Helper()
	if err := e.result(); err != nil {
		e.t.Fatalf("ended with %v", err)
	}
	if started {
		expectErrorEnd(t, string(e.body[1]), event("one. "), "not_checked")
	} else if e.immediate.GetStatus().GetCode() != 503 {
		e.t.Errorf("replies%s", e.trace)
	}
}

// lastStage is where an exchange stands that has got the rest.
func lastStage(i int) verdict.Stage {
	if name := places[i].name; name == "headers" || name == "body" {
		return verdict.PreInferenceGate
	}
	return verdict.PostInferenceGate
}

// waiting waits for ctx where the faulty classifier is told to.
func (c *faultyClassifier) waiting(ctx context.Context) error {
	if !c.wait {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// A client that leaves while its exchange is at work is one that left, and what
// the classifiers say upon that is no failure of theirs.
func TestLeavesDuringWork(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house, e *talk, i int) {
		h.faulty.wait = true
		go e.push(rest(i)...)
		synctest.Wait()
		e.cancel()
		e.expectEnd(places[i].trace, codes.Aborted)
		if places[i].started {
			h.recorder.expect(t, verdict.PostInferenceGate, verdict.Allow, verdict.None) // all that was sent was cleared
		} else {
			h.recorder.expect(t, lastStage(i), verdict.Block, verdict.Unavailable)
		}
		if h.observer.codes[""] != 1 {
			t.Errorf("refused: %v", h.observer.codes)
		}
	})
}
