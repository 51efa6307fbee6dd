package extproc

import (
	"fmt"
	"sync"
	"testing"

	"github.com/difflabai/confidential-safety/verdict"
)

// A hundred exchanges at once, each with its own verdict and its own words.
func TestConcurrent(t *testing.T) {
	h := newHouse(t)
	want := map[verdict.Action]int{}
	var wg sync.WaitGroup
	for i := range 100 {
		own := fmt.Sprintf("day %d ", i)
		said := []string{own, own + "codename nightjar", own + "project heron", own + "operation finch"}[i%4]
		action := []verdict.Action{verdict.Allow, verdict.Block, verdict.Redact, verdict.Warn}[i%4]
		expect := []string{own, "", own + "[REDACTED]", own + "operation finch"}[i%4]
		want[action]++
		wg.Go(func() {
			f := newFakeStream(t, 16)
			f.in <- post()
			f.in <- reqBody(ask(own), true)
			body := says(expect)
			if i%8 < 4 {
				f.in <- respJSON()
				f.in <- respBody(says(said), true)
			} else {
				body = event(expect)
				f.in <- respSSE()
				f.in <- respBody(event(said), true)
			}
			if err := f.serve(h.Server); err != nil {
				t.Errorf("exchange %d: %v", i, err)
			}
			if expect == "" {
				body = ""
			}
			if string(f.body[0]) != ask(own) || string(f.body[1]) != body {
				t.Errorf("exchange %d: %q %q", i, f.body[0], f.body[1])
			}
		})
	}
	wg.Wait()
	got, ids := map[verdict.Action]int{}, map[string]bool{}
	for i, v := range h.recorder.verdicts {
		got[v.Action]++
		ids[v.VerdictID], ids[h.recorder.ids[i]] = true, true
	}
	if len(ids) != 200 || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%d ids, verdicts %v, want %v", len(ids), got, want)
	}
}
