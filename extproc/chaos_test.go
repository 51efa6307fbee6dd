package extproc

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// dice are shared by all who throw them.
type dice struct {
	mu  sync.Mutex
	rnd *rand.Rand
}

func (d *dice) below(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rnd.IntN(n)
}

func (d *dice) pause(most time.Duration) { time.Sleep(time.Duration(d.below(int(most)))) }

// Whatever fails, hangs and leaves at the same time, in the exchanges and in
// those who watch them: each has one verdict at the most, the observer is told of
// it, none ends with OK unanswered, and nothing is held.
func TestChaos(t *testing.T) {
	for round := range 10 {
		bubble(t, func(t *testing.T, h *house) {
			d := &dice{rnd: rand.New(rand.NewPCG(5, uint64(round)))}
			over := make(chan struct{})
			var breaking, running sync.WaitGroup
			breaking.Go(func() { d.breakThings(h, over) })
			for range 60 {
				running.Go(func() {
					d.pause(5 * time.Minute)
					e := newFakeStream(t, 0)
					e.resets = true
					done := make(chan struct{})
					go d.play(e, done)
					err := error(nil)
					served := make(chan struct{})
					go func() { // a goroutine of its own, since it may end
						defer close(served)
						err = e.serve(h.Server)
					}()
					<-served
					e.cancel()
					close(done)
					if status.Code(err) == codes.Unknown {
						t.Errorf("ended with %v", err) // no status of ours
					}
				})
			}
			if d.below(3) == 0 {
				d.pause(6 * time.Minute)
				h.stop()
			}
			running.Wait()
			close(over)
			breaking.Wait()
			time.Sleep(soon)
			expectNothingHeld(t, h)
			ids := map[string]bool{}
			for _, id := range h.recorder.ids {
				if ids[id] {
					t.Errorf("%s has two verdicts", id)
				}
				ids[id] = true
			}
			if o := h.observer; o.verdicts != len(ids) || o.verdicts+o.unrecords < o.apis["chat_completions"] {
				t.Errorf("%d verdicts, observed %+v", len(ids), o)
			}
		})
	}
}

// breakThings has one place after the other fail or hang now and then.
func (d *dice) breakThings(h *house, over chan struct{}) {
	places := []string{"NewScanner", "Write", "Settle", "Close", "Record", "NewID", "Now"}
	ways := []func(){
		func() { panic("the secret fox") },
		runtime.Goexit,
		func() { d.pause(200 * time.Second) },
		func() { d.pause(3 * time.Second) },
		func() {},
	}
	for {
		do := ways[d.below(len(ways))]
		h.trap.set.Store(&trapped{places[d.below(len(places))], func() {
			if d.below(4) == 0 {
				do()
			}
		}})
		select {
		case <-over:
			return
		default:
			d.pause(100 * time.Second)
		}
	}
}

// play sends an exchange's messages, or some of them, or some twice, with pauses,
// and may leave in the middle.
func (d *dice) play(e *fakeStream, done chan struct{}) {
	words := []string{"hi. ", "codename nightjar. ", "project heron. ", "project"}[d.below(4)]
	script := [][]*extprocv3.ProcessingRequest{
		{post(), reqBody(ask(words), false), reqBody("", true), respJSON(), respBody(says(words), true)},
		{get("/v1/models"), respJSON(), respBody(`{"data":[{"id":"m"}]}`, true)},
		{post(), reqBody(ask("hi"), true), respSSE(), respBody(event(words), false), respBody(event(words), false), respBody(doneEvent, false), respBody("", true)},
	}[d.below(3)]
	n := len(script)
	switch d.below(5) {
	case 0:
		script = script[:d.below(n)+1]
	case 1:
		script = append(script[:d.below(n):n], script[d.below(n):]...)
	}
	for _, m := range script {
		switch d.below(8) {
		case 0:
			d.pause(upstreamTime + requestTime)
		case 1:
			d.pause(maxPause * 2)
		}
		select {
		case e.in <- m:
		case <-e.over:
			return
		case <-done:
			return
		}
	}
	if d.below(6) == 0 {
		d.pause(upstreamTime + requestTime)
		e.cancel()
	}
}
