package extproc

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/difflabai/confidential-safety/verdict"
)

// A classifier that fails, on the request, on a whole answer or in mid-stream.
func TestClassifierFails(t *testing.T) {
	for name, c := range map[string]struct {
		do    func() error
		trace [3]string
		code  codes.Code
	}{
		"error": {func() error { return errFault }, [3]string{"I503", "I503", "B<."}, codes.OK},
		// Envoy closes what is open when the stream ends with an error.
		"panic": {func() error { panic("the secret fox") }, [3]string{"", "", ""}, codes.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			fail := func(h *house) { h.faulty.word, h.faulty.do = "fox", c.do }
			bubble(t, func(t *testing.T, h *house) {
				fail(h)
				e := begin(t, h.Server)
				e.send(post(), reqBody(ask("the fox"), true))
				e.expectEnd(c.trace[0], c.code)
				expectNoContent(t, e)
				h.recorder.expect(t, verdict.PreInferenceGate, verdict.Block, verdict.Unavailable)
			})
			bubble(t, func(t *testing.T, h *house) {
				fail(h)
				e := begin(t, h.Server)
				e.send(post(), reqBody(ask("hi"), true), respJSON(), respBody(says("the fox"), true))
				e.expectEnd(join("H> B>.", c.trace[1]), c.code)
				expectNoContent(t, e)
				h.recorder.expect(t, verdict.PostInferenceGate, verdict.Block, verdict.Unavailable)
			})
			bubble(t, func(t *testing.T, h *house) {
				fail(h)
				e := begin(t, h.Server)
				e.send(post(), reqBody(ask("hi"), true), respSSE(), respBody(event("one. "), false), respBody(event("the fox. "), false))
				e.expectEnd(join("H> B>. H< B<", c.trace[2]), c.code)
				if body, ok := strings.CutPrefix(string(e.body[1]), event("one. ")); !ok || strings.Contains(body, "fox") {
					t.Errorf("released %q", e.body[1])
				}
				expectNoContent(t, e)
				h.recorder.expect(t, verdict.PostInferenceGate, verdict.Block, verdict.Unavailable)
			})
		})
	}
}

// expectNoContent checks that neither the status nor an immediate response
// tells what failed or on what.
func expectNoContent(t *testing.T, e *talk) {
	t.Helper()
	said := string(e.immediate.GetBody())
	if e.err != nil {
		said += e.err.Error()
	}
	for _, word := range []string{"fox", "secret", "classif", "record", "goroutine", ".go"} {
		if strings.Contains(said, word) {
			t.Errorf("%q is in %q", word, said)
		}
	}
}

// Without a record nothing goes on: the answer is held back whole, or ends
// with an error.
func TestRecorderFails(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.recorder.fail = errFault
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("hi"), true), respJSON(), respBody(says("a good day"), true))
		e.expectEnd("H> B>. I503", codes.OK)
		e.expectImmediate(at(uncheckedBody, verdict.PostInferenceGate), "")
		h.recorder.expect(t, verdict.PostInferenceGate, verdict.Allow, verdict.None) // as it was tried
	})
	bubble(t, func(t *testing.T, h *house) {
		h.recorder.fail = errFault
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("codename nightjar"), true))
		e.expectEnd("I503", codes.OK)
		e.expectImmediate(at(uncheckedBody, verdict.PreInferenceGate), "")
	})
	// After that no request goes on until a record was made again: that of a
	// refusal is.
	bubble(t, func(t *testing.T, h *house) {
		for _, step := range []struct {
			fail  error
			trace string
		}{
			{nil, "H> B>. H< B<."}, {errFault, "H> B>. I503"}, {errFault, "I503"}, {errFault, "I503"}, {nil, "I503"}, {nil, "H> B>. H< B<."},
		} {
			h.recorder.mu.Lock()
			h.recorder.fail = step.fail
			h.recorder.mu.Unlock()
			e := begin(t, h.Server)
			e.send(post(), reqBody(ask("hi"), true), respJSON(), respBody(says("a good day"), true))
			e.expectEnd(step.trace, codes.OK)
		}
	})
	bubble(t, func(t *testing.T, h *house) {
		h.recorder.fail = errFault
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("hi"), true), respSSE(), respBody(event("one. "), false), respBody(doneEvent, true))
		// What would tell the client that the answer is complete is not sent.
		e.expectEnd("H> B>. H< B< B<.", codes.OK)
		expectErrorEnd(t, string(e.body[1]), event("one. "), "not_checked")
	})
}

// A recorder that panics, also where the panic itself is recorded, takes the
// exchange with it and not the process.
func TestRecorderPanics(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house, e *talk, i int) {
		h.recorder.mu.Lock()
		h.recorder.panics = true
		h.recorder.mu.Unlock()
		close(e.in)
		if _ = e.result(); e.err == nil {
			t.Error("ended with OK")
		}
		expectNoContent(t, e)
	})
	bubble(t, func(t *testing.T, h *house) {
		h.recorder.panics = true
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("hi"), true), respJSON(), respBody(says("hi"), true))
		e.expectEnd("H> B>.", codes.Internal)
	})
}

// What goes wrong while the watch answers in the exchange's stead leaves nobody
// waiting.
func TestRecorderPanicsAtTheDeadline(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.recorder.panics = true
		e := begin(t, h.Server)
		e.send(post())
		time.Sleep(requestTime + time.Second)
		e.expectEnd("I503", codes.Internal)
		expectNoContent(t, e)
	})
}

func TestLocalPanics(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		e.send(get("/panic"))
		e.expectEnd("", codes.Internal)
		expectNoContent(t, e)
		h.recorder.expectNone(t)
	})
}
