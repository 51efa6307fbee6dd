package extproc

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"

	"github.com/difflabai/confidential-safety/verdict"
)

// expectRefused checks a refusal that says when to come again.
func expectRefused(t *testing.T, e *talk, status int, kind, code string) {
	t.Helper()
	var body struct {
		Error struct{ Message, Type, Code string }
	}
	if err := json.Unmarshal(e.immediate.GetBody(), &body); err != nil {
		t.Fatal(err)
	}
	if got := int(e.immediate.GetStatus().GetCode()); got != status || body.Error.Type != kind || body.Error.Code != code || body.Error.Message == "" {
		t.Errorf("%d %+v, want %d %s %s", got, body, status, kind, code)
	}
	if after := sets(e.immediate.GetHeaders(), "retry-after"); after != "1" {
		t.Errorf("retry-after %q", after)
	}
}

// expectNothingHeld checks that no exchange holds what all share.
func expectNothingHeld(t *testing.T, h *house) {
	t.Helper()
	if n, m, b := h.active.Load(), h.admitted.Load(), h.budget.Used(); n != 0 || m != 0 || b != 0 {
		t.Errorf("%d active, %d admitted, %d bytes", n, m, b)
	}
	if h.observer.began != h.observer.ended {
		t.Errorf("%d began and %d ended", h.observer.began, h.observer.ended)
	}
}

// The request over the limit is told to come again, with a verdict; the sidecar
// answers for itself all the while; and one that ends makes room for one.
func TestTooManyRequests(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.cfg.MaxRequests = 4
		var running []*talk
		for range 4 {
			e := begin(t, h.Server)
			e.send(post())
			running = append(running, e)
		}
		over := begin(t, h.Server)
		over.send(post(), reqBody(ask("hi"), true))
		over.expectEnd("I429", codes.OK)
		expectRefused(t, over, 429, "rate_limit_error", "too_many_requests")
		h.recorder.mu.Lock()
		if n := len(h.recorder.verdicts); n != 1 || h.recorder.verdicts[0].RiskCategory != verdict.Unavailable || h.recorder.verdicts[0].Action != verdict.Block {
			t.Errorf("%d verdicts: %+v", n, h.recorder.verdicts)
		}
		h.recorder.mu.Unlock()

		health := begin(t, h.Server)
		health.send(get("/v1/health"))
		health.expectEnd("I200", codes.OK)

		running[0].send(reqBody(ask("codename nightjar"), true))
		running[0].expectEnd("I451", codes.OK)
		next := begin(t, h.Server)
		next.send(post(), reqBody(ask("hi"), true))
		next.expect("H> B>.")
		for _, e := range append(running, next) {
			e.cancel()
			<-e.done
		}
		expectNothingHeld(t, h)
	})
}

// In a crowd those who are refused are not read to their end.
func TestCrowded(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.cfg.MaxRequests = 4
		var all []*talk
		for i := range 8 {
			e := begin(t, h.Server)
			e.send(post())
			switch {
			case i < 4: // admitted
				e.expect("")
			case i < 6: // refused, and waited for
				e.expect("")
			default:
				e.expectEnd("I429", codes.OK)
			}
			all = append(all, e)
		}
		for _, e := range all {
			e.cancel()
			<-e.done
		}
		expectNothingHeld(t, h)
	})
}

// Bodies that there is no room for: a request's, an answer's, and a stream's
// that has begun. What is on its way may take what new requests may not.
func TestTooMuchToInspect(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		const limit = 64 << 20
		if !h.budget.Responses().Take(limit / 4 * 3) {
			t.Fatal("no room")
		}
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("hi"), true))
		e.expectEnd("I503", codes.OK)
		expectRefused(t, e, 503, "overloaded_error", "overloaded")
		h.recorder.expect(t, verdict.PreInferenceGate, verdict.Block, verdict.Unavailable)
		if !h.budget.Responses().Take(limit/4) || h.budget.Responses().Take(1) || h.budget.Used() != limit {
			t.Errorf("%d of %d used", h.budget.Used(), limit)
		}
	})
	for name, c := range map[string]struct {
		head        *extprocv3.ProcessingRequest
		first, rest string
		trace       string
	}{
		"answer":  {respJSON(), `{"choices":[`, strings.Repeat(" ", 8<<10), "I503"},
		"stream":  {respSSE(), roleEvent, ":" + strings.Repeat(" ", 8<<10), "I503"},
		"started": {respSSE(), event("one. "), ":" + strings.Repeat(" ", 8<<10), "H< B< B<."},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *house) {
				e := begin(t, h.Server)
				e.send(post(), reqBody(ask("hi"), true), c.head, respBody(c.first, false))
				taken := h.budget.Used()
				if !h.budget.Responses().Take(int(h.budget.limit - taken)) {
					t.Fatal("no room")
				}
				e.send(respBody(c.rest, false))
				e.expectEnd("H> B>. "+c.trace, codes.OK)
				if c.trace == "I503" {
					expectRefused(t, e, 503, "overloaded_error", "overloaded")
				} else {
					expectErrorEnd(t, string(e.body[1]), event("one. "), "overloaded")
				}
				h.recorder.expect(t, verdict.PostInferenceGate, verdict.Block, verdict.Unavailable)
				if got := h.budget.Used(); got != h.budget.limit-taken {
					t.Errorf("%d taken after the end, want %d", got, h.budget.limit-taken)
				}
			})
		})
	}
}

// A stream that never pauses and never ends is ended all the same.
func TestResponseTimeout(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("hi"), true), respSSE(), respBody(event("one. "), false))
		for range int(responseTime/(30*time.Second)) - 1 {
			time.Sleep(30 * time.Second)
			e.send(respBody(": still here\n\n", false))
		}
		if err := e.result(); !errors.Is(err, errRunning) {
			t.Fatalf("ended with %v", err)
		}
		time.Sleep(31 * time.Second)
		e.send(respBody(": still here\n\n", false))
		if err := e.result(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(e.body[1]), `"code":"upstream_timeout"`) {
			t.Errorf("%q", e.body[1])
		}
		h.recorder.expect(t, verdict.PostInferenceGate, verdict.Block, verdict.Unavailable)
		if h.observer.events[EventDeadline] != 1 {
			t.Errorf("%v", h.observer.events)
		}
	})
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("hi"), true), respJSON())
		for range int(responseTime / (30 * time.Second)) {
			e.send(respBody(" ", false))
			time.Sleep(30 * time.Second)
		}
		time.Sleep(time.Second)
		e.expectEnd("H> B>. I504", codes.OK)
	})
}

// After any mix of exchanges nothing is held: not by those that panicked, were
// taken over, refused, or abandoned by Envoy in the middle.
func TestNothingIsHeld(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.cfg.MaxRequests = 40
		h.faulty.word, h.faulty.do = "fox", func() error { panic("the secret fox") }
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() {
				time.Sleep(time.Duration(i%100) * 20 * time.Second)
				e := newFakeStream(t, 16)
				defer e.cancel()
				words := []string{"hi", "codename nightjar", "the fox", "project heron", strings.Repeat("long ", 5000)}[i%5]
				script := []*extprocv3.ProcessingRequest{post(), reqBody(ask(words), true), respJSON(), respBody(says(words), true)}
				if i%2 == 0 {
					script = []*extprocv3.ProcessingRequest{post(), reqBody(ask("hi"), true), respSSE(), respBody(event(words), false), respBody(doneEvent, true)}
				}
				if i%7 == 0 {
					script = script[:i%len(script)] // the rest never comes
				}
				if i%11 == 0 {
					script = []*extprocv3.ProcessingRequest{get(fmt.Sprintf("/%d", i))}
				}
				if i%13 == 0 {
					e.failSends = true
				}
				for _, m := range script {
					e.in <- m
				}
				if i%3 == 0 || e.failSends {
					close(e.in) // Envoy goes away
				}
				_ = e.serve(h.Server)
			})
		}
		wg.Wait()
		expectNothingHeld(t, h)
		o := h.observer
		if o.ended != 1000 || o.events[EventPanic] == 0 || o.events[EventDeadline] == 0 || o.codes["content_blocked"] == 0 || o.verdicts+o.unrecords != 1000-o.apis[""] {
			t.Errorf("%+v", o)
		}
	})
}

// A share that is refused room takes none of it from others, not even for a
// moment.
func TestBudgetIsExact(t *testing.T) {
	b := NewBudget(1 << 20)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for s := b.Requests(); ; {
				select {
				case <-stop:
					return
				default:
				}
				if s.Take(1 << 20) {
					t.Error("took more than its share")
					return
				}
			}
		})
	}
	r := b.Responses()
	for range 1_000_000 {
		if !r.Take(64 << 10) {
			t.Error("no room, but there is")
			break
		}
		r.Give(64 << 10)
	}
	close(stop)
	wg.Wait()
	if b.Used() != 0 {
		t.Errorf("%d taken", b.Used())
	}
}
