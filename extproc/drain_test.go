package extproc

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/difflabai/confidential-safety/verdict"
)

// What a shutdown ends has its answer and its verdict when Drain returns, since
// the process ends then.
func TestDrainWaitsForWhatItEnds(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house, e *talk, i int) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		h.Drain(ctx)
		h.recorder.expect(t, places[i].stage, verdict.Block, verdict.Unavailable)
		if e.mu.Lock(); !e.answered() && !places[i].started {
			t.Errorf("not answered: %s", e.trace)
		}
		e.mu.Unlock()
	})
}

// It does not wait for one that does not end, as long as a classifier does not.
func TestDrainIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		release := make(chan struct{})
		h.faulty.word, h.faulty.do = "fox", func() error { <-release; return nil }
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("the fox"), true))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		from := time.Now()
		h.Drain(ctx)
		if took := time.Since(from); took == 0 || took > time.Minute {
			t.Errorf("took %v", took)
		}
		close(release)
		e.expectEnd("I503", codes.OK)
	})
}

// One that waits for a classifier is told so in time, and has its verdict.
func TestDrainCancelsWork(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house, e *talk, i int) {
		h.faulty.wait = true
		go e.push(rest(i)...)
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		h.Drain(ctx)
		h.recorder.expect(t, lastStage(i), verdict.Block, verdict.Unavailable)
		e.expectRefused(t, places[i].started)
	})
}
