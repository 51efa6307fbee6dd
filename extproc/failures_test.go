package extproc

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"github.com/difflabai/confidential-safety/verdict"
)

// expectErrorEnd checks a stream that was ended early: what was cleared, then
// the choices closed, then an error object, and no end mark.
func expectErrorEnd(t *testing.T, got, cleared, code string) {
	t.Helper()
	rest, ok := strings.CutPrefix(got, cleared)
	if !ok || !strings.Contains(rest, `"finish_reason":"content_filter"}]}`+"\n\ndata: {\"error\":{") ||
		!strings.Contains(rest, `"code":"`+code+`"`) || !strings.HasSuffix(rest, "}\n\n") || strings.Contains(rest, "[DONE]") {
		t.Errorf("stream ends %q", rest)
	}
}

// Where an exchange can stand when something happens to it.
var places = []struct {
	name     string
	messages []*extprocv3.ProcessingRequest
	trace    string // of the replies so far
	stage    verdict.Stage
	started  bool
	late     string // the status when time runs out
}{
	{"headers", []*extprocv3.ProcessingRequest{post()}, "", verdict.PreInferenceGate, false, "I408"},
	{"body", []*extprocv3.ProcessingRequest{post(), reqBody(ask("the fox")[:20], false)}, "", verdict.PreInferenceGate, false, "I408"},
	{"upstream", []*extprocv3.ProcessingRequest{post(), reqBody(ask("the fox"), true)}, "H> B>.", verdict.PreInferenceGate, false, "I504"},
	{"answer", []*extprocv3.ProcessingRequest{post(), reqBody(ask("the fox"), true), respJSON()}, "H> B>.", verdict.PostInferenceGate, false, "I504"},
	{"answer body", []*extprocv3.ProcessingRequest{post(), reqBody(ask("the fox"), true), respJSON(), respBody(says("fox")[:20], false)}, "H> B>.", verdict.PostInferenceGate, false, "I504"},
	{"stream", []*extprocv3.ProcessingRequest{post(), reqBody(ask("the fox"), true), respSSE(), respBody(roleEvent, false)}, "H> B>.", verdict.PostInferenceGate, false, "I504"},
	{"started", []*extprocv3.ProcessingRequest{post(), reqBody(ask("the fox"), true), respSSE(), respBody(event("one. "), false)}, "H> B>. H< B<", verdict.PostInferenceGate, true, "B<."},
}

// everywhere runs f for an exchange that stands at each of the places.
func everywhere(t *testing.T, f func(t *testing.T, h *house, e *talk, i int)) {
	for i, p := range places {
		t.Run(p.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *house) {
				e := begin(t, h.Server)
				e.send(p.messages...)
				e.expect(p.trace)
				if err := e.result(); !errors.Is(err, errRunning) {
					t.Fatalf("ended with %v", err)
				}
				f(t, h, e, i)
			})
		})
	}
}

func join(trace, more string) string { return strings.TrimSpace(trace + " " + more) }

func TestDeadlines(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house, e *talk, i int) {
		p := places[i]
		limit := upstreamTime
		if p.late == "I408" {
			limit = requestTime
		}
		time.Sleep(limit - time.Second)
		e.expect(p.trace)
		time.Sleep(2 * time.Second)
		e.expectEnd(join(p.trace, p.late), codes.OK)
		h.recorder.expect(t, p.stage, verdict.Block, verdict.Unavailable)
		if p.started {
			expectErrorEnd(t, string(e.body[1]), event("one. "), "upstream_timeout")
		}
	})
}

// A client that never sends its headers, and one that sends a byte at a time.
func TestSlowRequest(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		time.Sleep(requestTime + time.Second)
		e.expectEnd("I503", codes.OK)
		h.recorder.expectNone(t)
	})
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		e.send(post())
		for range 100 {
			e.send(reqBody(" ", false))
			time.Sleep(requestTime / 50)
		}
		e.expectEnd("I408", codes.OK)
		h.recorder.expect(t, verdict.PreInferenceGate, verdict.Block, verdict.Unavailable)
	})
}

// A stream may go on for long, as long as it goes on.
func TestLongStream(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("hi"), true), respSSE())
		for range 100 {
			time.Sleep(upstreamTime / 2)
			e.send(respBody(event("day. "), false))
		}
		e.send(respBody(doneEvent, true))
		e.expectEnd("H> B>. H<"+strings.Repeat(" B<", 100)+" B<.", codes.OK)
	})
}

// A shutdown whose time is up ends what runs with a block, wherever it stands.
func TestDrainCancelled(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house, e *talk, i int) {
		p := places[i]
		ctx, cancel := context.WithCancel(t.Context())
		drained := make(chan struct{})
		go func() { h.Drain(ctx); close(drained) }()
		e.expect(p.trace) // until then it may finish
		cancel()
		<-drained
		if p.started {
			e.expectEnd(join(p.trace, "B<."), codes.OK)
			expectErrorEnd(t, string(e.body[1]), event("one. "), "not_checked")
		} else {
			e.expectEnd(join(p.trace, "I503"), codes.OK)
			e.expectImmediate(at(uncheckedBody, p.stage), "")
		}
		h.recorder.expect(t, p.stage, verdict.Block, verdict.Unavailable)
	})
}

func TestDrain(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.Drain(t.Context()) // nothing runs
	})
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("hi"), true))
		drained := make(chan struct{})
		go func() { h.Drain(context.Background()); close(drained) }()
		synctest.Wait()
		select {
		case <-drained:
			t.Fatal("drained while an exchange runs")
		default:
		}
		e.send(respJSON(), respBody(says("hi"), true))
		e.expectEnd("H> B>. H< B<.", codes.OK)
		<-drained
		h.recorder.expect(t, verdict.PostInferenceGate, verdict.Allow, verdict.None)
	})
}

// The client went, or Envoy did: the status is an error and there is a verdict.
func TestStreamEnds(t *testing.T) {
	for name, end := range map[string]func(*talk){
		"EOF":       func(e *talk) { close(e.in) },
		"cancelled": func(e *talk) { e.cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, h *house, e *talk, i int) {
				end(e)
				e.expectEnd(places[i].trace, codes.Aborted)
				if places[i].started {
					h.recorder.expect(t, verdict.PostInferenceGate, verdict.Allow, verdict.None) // all that was sent was cleared
				} else {
					h.recorder.expect(t, places[i].stage, verdict.Block, verdict.Unavailable)
				}
			})
		})
	}
}

// Replies that cannot be sent end the stream with an error.
func TestSendFails(t *testing.T) {
	for name, c := range map[string]struct {
		before, then []*extprocv3.ProcessingRequest
		action       verdict.Action
	}{
		"request":   {nil, []*extprocv3.ProcessingRequest{post(), reqBody(ask("hi"), true)}, verdict.Block},
		"immediate": {nil, []*extprocv3.ProcessingRequest{post(), reqBody(ask("codename nightjar"), true)}, verdict.Block},
		"response":  {[]*extprocv3.ProcessingRequest{post(), reqBody(ask("hi"), true)}, []*extprocv3.ProcessingRequest{respJSON(), respBody(says("hi"), true)}, verdict.Allow},
		"stream":    {[]*extprocv3.ProcessingRequest{post(), reqBody(ask("hi"), true), respSSE()}, []*extprocv3.ProcessingRequest{respBody(event("hi. "), false)}, verdict.Allow},
		"ending":    {[]*extprocv3.ProcessingRequest{post(), reqBody(ask("hi"), true), respSSE(), respBody(event("hi. "), false)}, []*extprocv3.ProcessingRequest{respBody(event("codename nightjar."), false)}, verdict.Block},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *house) {
				e := begin(t, h.Server)
				e.send(c.before...)
				e.mu.Lock()
				e.failSends = true
				e.mu.Unlock()
				e.send(c.then...)
				if err := e.result(); err == nil || errors.Is(err, errRunning) {
					t.Fatalf("ended with %v", err)
				}
				if v := h.recorder.verdicts; len(v) != 1 || v[0].Action != c.action {
					t.Errorf("verdicts %+v, want one %v", v, c.action)
				}
			})
		})
	}
}
