package extproc

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/difflabai/confidential-safety/verdict"
)

// stuck is an exchange that is given up in its response, and a way to go on
// after all.
func stuck(t *testing.T, h *house) (e *talk, then chan func()) {
	then = make(chan func())
	e = begin(t, h.Server)
	e.send(post(), reqBody(ask("hi"), true), respJSON())
	h.trap.set.Store(&trapped{"Write", func() { h.trap.set.Store(nil); (<-then)() }})
	e.mayReset()
	go e.push(respBody(says("hi"), true))
	synctest.Wait()
	return e, then
}

// An exchange that is given up and then fails by itself is over once the verdict
// is recorded that stands for its own, and not before.
func TestSeizedThenFails(t *testing.T) {
	for how, do := range ways {
		t.Run(how, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *house) {
				e, then := stuck(t, h)
				recorded := make(chan struct{})
				h.trap.set.Store(&trapped{"Record", func() { <-recorded }})
				time.Sleep(soon)
				then <- do
				e.expect("H> B>. I503")
				if h.active.Load() != 1 {
					t.Error("over without its verdict")
				}
				close(recorded)
				e.expectOver()
				h.recorder.expect(t, verdict.PostInferenceGate, verdict.Block, verdict.Unavailable)
				expectNothingHeld(t, h)
			})
		})
	}
}

// If not even that can be recorded, nothing goes on until something is.
func TestSeizedAndUnrecorded(t *testing.T) {
	for name, fail := range map[string]func(*house){
		"error": func(h *house) { h.recorder.fail = errFault },
		"panic": func(h *house) { h.recorder.panics = true },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *house) {
				e, then := stuck(t, h)
				h.recorder.mu.Lock()
				fail(h)
				h.recorder.mu.Unlock()
				time.Sleep(soon)
				e.expect("H> B>. I503")
				next := begin(t, h.Server)
				next.send(get("/v1/models"))
				next.expect("I503")
				then <- func() {}
				if err := e.result(); err == nil || errors.Is(err, errRunning) {
					t.Errorf("ended with %v", err)
				}
			})
		})
	}
}

// What has no verdict in the log has none when it is given up.
func TestSeizedModels(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		e.send(get("/v1/models"), respJSON())
		release := make(chan struct{})
		h.trap.set.Store(&trapped{"Write", func() { <-release }})
		go e.push(respBody(`{"data":[{"id":"m"}]}`, true))
		time.Sleep(soon)
		e.expect("H> I503")
		close(release)
		e.expectEnd("H> I503", codes.Internal)
		h.recorder.expectNone(t)
	})
}

// A recorder that panics has not recorded.
func TestUnrecordedByPanic(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.recorder.panics = true
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("codename nightjar"), true))
		e.expectEnd("", codes.Internal)
		next := begin(t, h.Server)
		next.send(get("/v1/models"))
		next.expect("I503")
	})
}
