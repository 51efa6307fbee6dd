package extproc

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/difflabai/confidential-safety/verdict"
)

// beyond is past the time that the upstream has to end a stream whose end mark
// came.
const beyond = maxPause + time.Millisecond

// A stream whose end mark came is over soon, also if the upstream keeps the
// connection open.
func TestEnded(t *testing.T) {
	const open = "H> B>. H< B<"
	for name, c := range map[string]struct {
		words string // before the end mark
		then  func(t *testing.T, h *house, e *talk)
		trace string
		body  string // "" for one that ends with an error
		code  codes.Code
		want  verdict.Action
	}{
		"silence": {"one. ", func(*testing.T, *house, *talk) { time.Sleep(beyond) },
			open + " B<.", event("one. ") + doneEvent, codes.OK, verdict.Allow},
		"an end in time": {"one. ", func(t *testing.T, h *house, e *talk) {
			time.Sleep(maxPause / 2)
			e.send(respBody("", true))
		}, open + " B<.", event("one. ") + doneEvent, codes.OK, verdict.Allow},
		"trailers in time": {"one. ", func(t *testing.T, h *house, e *talk) { e.send(respTrailers()) },
			open + " B< T<", event("one. ") + doneEvent, codes.OK, verdict.Allow},
		"more without end": {"one. ", func(t *testing.T, h *house, e *talk) {
			for range 3 {
				time.Sleep(maxPause / 3)
				e.send(respBody(event("codename nightjar. "), false))
			}
			time.Sleep(time.Millisecond)
		}, open + " B<.", event("one. ") + doneEvent, codes.OK, verdict.Allow},
		"a record that fails": {"one. ", func(t *testing.T, h *house, e *talk) {
			h.recorder.mu.Lock()
			h.recorder.fail = errFault
			h.recorder.mu.Unlock()
			time.Sleep(beyond)
		}, open + " B<.", "", codes.OK, verdict.Allow},
		"a recorder that panics": {"one. ", func(t *testing.T, h *house, e *talk) {
			e.mayReset()
			h.recorder.mu.Lock()
			h.recorder.panics = true
			h.recorder.mu.Unlock()
			time.Sleep(beyond)
			h.recorder.expectNone(t)
			h.recorder.verdicts = []verdict.External{{}}
		}, open + " I503", event("one. "), codes.Internal, verdict.Allow},
		"sends that fail": {"one. ", func(t *testing.T, h *house, e *talk) {
			e.mu.Lock()
			e.failSends = true
			e.mu.Unlock()
			time.Sleep(beyond)
			e.cancel() // that is why
		}, open, event("one. "), codes.Internal, verdict.Allow},
		"a shutdown": {"one. ", func(t *testing.T, h *house, e *talk) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			h.Drain(ctx)
		}, open + " B<.", event("one. ") + doneEvent, codes.OK, verdict.Allow},
		"an Envoy that left": {"one. ", func(t *testing.T, h *house, e *talk) { close(e.in) },
			open, event("one. "), codes.Aborted, verdict.Allow},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *house) {
				e := begin(t, h.Server)
				e.send(post(), reqBody(ask("hi"), true), respSSE(), respBody(event(c.words)+doneEvent, false))
				if err := e.result(); !errors.Is(err, errRunning) {
					t.Fatalf("ended with %v", err)
				}
				c.then(t, h, e)
				e.expectEnd(c.trace, c.code)
				if c.body == "" {
					expectErrorEnd(t, string(e.body[1]), event(c.words), "not_checked")
				} else if got := string(e.body[1]); got != c.body {
					t.Errorf("%q, want %q", got, c.body)
				}
				if v := h.recorder.verdicts; len(v) != 1 || v[0].Action != c.want {
					t.Errorf("%+v", v)
				}
			})
		})
	}
}

// What comes at the moment at which the watch ends such a stream makes no second
// end and no second verdict.
func TestEndedAtOnce(t *testing.T) {
	for name, at := range map[string]func(h *house, e *talk){
		"message":  func(h *house, e *talk) { e.push(respBody(event("two. "), false)) },
		"end":      func(h *house, e *talk) { e.push(respBody("", true)) },
		"trailers": func(h *house, e *talk) { e.push(respTrailers()) },
		"shutdown": func(h *house, e *talk) { h.stop() },
		"leaving":  func(h *house, e *talk) { e.cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			for range 20 {
				bubble(t, func(t *testing.T, h *house) {
					e := begin(t, h.Server)
					e.send(post(), reqBody(ask("hi"), true), respSSE(), respBody(event("one. ")+doneEvent, false))
					e.mayReset()
					go func() {
						time.Sleep(maxPause)
						at(h, e)
					}()
					time.Sleep(beyond)
					synctest.Wait()
					if err := e.result(); errors.Is(err, errRunning) || err == nil && !e.answered() {
						t.Errorf("ended with %v after%s", err, e.trace)
					}
					h.recorder.expect(t, verdict.PostInferenceGate, verdict.Allow, verdict.None)
					expectNothingHeld(t, h)
				})
			}
		})
	}
}
