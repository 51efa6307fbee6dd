package extproc

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"
)

// ways for a place to fail that no error tells of.
var ways = map[string]func(){
	"panic":  func() { panic("the secret fox") },
	"goexit": runtime.Goexit, // the goroutine ends, and nothing returns
}

// rest is what may come after each of the places, and must not pass.
func rest(i int) []*extprocv3.ProcessingRequest {
	type messages = []*extprocv3.ProcessingRequest
	switch places[i].name {
	case "headers":
		return messages{reqBody(ask("codename nightjar"), true)}
	case "body":
		return messages{reqBody(ask("the fox codename nightjar")[20:], true)}
	case "upstream":
		return messages{respSSE(), respBody(event("codename nightjar. "), false), respBody("", true)}
	case "answer":
		return messages{respBody(says("codename nightjar"), true)}
	case "answer body":
		return messages{respBody(says("fox codename nightjar")[20:], true)}
	}
	// The first leaves words that wait, which the second has settled.
	return messages{
		respBody(event("codename"), false),
		respBody(`data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\n", false),
		respBody(event(" codename nightjar. "), false), respBody("", true),
	}
}

// Whatever fails, and wherever: its exchange ends with an error or a block, and
// no other does.
func TestPanicsEverywhere(t *testing.T) {
	for _, place := range []string{"NewScanner", "Write", "Settle", "Close", "Record", "NewID", "Now"} {
		for how, do := range ways {
			t.Run(place+" "+how, func(t *testing.T) {
				everywhere(t, func(t *testing.T, h *house, e *talk, i int) {
					beside := begin(t, h.Server)
					beside.send(post(), reqBody(ask("hi"), true), respSSE(), respBody(event("one. "), false))
					h.trap.set.Store(&trapped{place, do})
					e.mayReset()
					e.send(rest(i)...)
					fresh := begin(t, h.Server)
					fresh.mayReset()
					fresh.send(post(), reqBody(ask("codename nightjar"), true))
					for _, x := range []*talk{e, fresh} {
						x.expectOver()
						if s := string(x.body[0]) + string(x.body[1]); strings.Contains(s, "nightjar") {
							t.Errorf("released %q", s)
						}
						expectNoContent(t, x)
					}
					h.trap.set.Store(nil)
					beside.send(respBody(doneEvent, true))
					beside.expectEnd("H> B>. H< B< B<.", codes.OK)
					after := begin(t, h.Server)
					after.send(post(), reqBody(ask("hi"), true), respJSON(), respBody(says("hi"), true))
					after.expectEnd("H> B>. H< B<.", codes.OK)
				})
			})
		}
	}
}

// The same while the watch answers in the exchange's stead, in a goroutine of
// its own.
func TestPanicsInTheWatch(t *testing.T) {
	for _, place := range []string{"Record", "NewID", "Now"} {
		for how, do := range ways {
			for why, end := range map[string]func(*testing.T, *house){
				"deadline": func(*testing.T, *house) { time.Sleep(upstreamTime + time.Second) },
				"shutdown": func(t *testing.T, h *house) {
					ctx, cancel := context.WithCancel(t.Context())
					cancel()
					h.Drain(ctx)
				},
			} {
				t.Run(strings.Join([]string{place, how, why}, " "), func(t *testing.T) {
					everywhere(t, func(t *testing.T, h *house, e *talk, i int) {
						h.trap.set.Store(&trapped{place, do})
						e.mayReset()
						end(t, h)
						e.expectOver()
						expectNoContent(t, e)
					})
				})
			}
		}
	}
}

// mayReset says that the stream may be reset after the response headers.
func (e *talk) mayReset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.resets = true
}

// expectOver checks that an exchange is over and, if not with an error, that the
// client has its answer. Of a goroutine that ended no status remains.
func (e *talk) expectOver() {
	e.t.Helper()
	if err := e.result(); errors.Is(err, errRunning) || err == nil && !e.answered() {
		e.t.Fatalf("ended with %v after%s", err, e.trace)
	}
}
