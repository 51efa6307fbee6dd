package inspect

import (
	"math/rand/v2"
	"testing"

	"github.com/difflabai/confidential-safety/decode"
)

// The queue keeps order and counts bytes, however pushes and pops come, and
// takes no more room than what was ever held at once.
func TestQueue(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var q queue
	var model []*decode.Event
	most := 0
	for range 20_000 {
		if r.IntN(100) < 50 && len(model) < 40 {
			ev := &decode.Event{Raw: make([]byte, r.IntN(9))}
			model = append(model, ev)
			if h := q.push(ev); h.ev != ev || len(h.refs) != 0 {
				t.Fatal("push gave an item in use")
			}
			q.items[len(q.items)-1].refs = append(q.items[len(q.items)-1].refs, ref{part: &part{}, end: 1})
			most = max(most, len(model))
		} else if len(model) > 0 {
			if q.head().ev != model[0] {
				t.Fatal("wrong head")
			}
			q.pop()
			model = model[1:]
		}
		bytes := 0
		for _, ev := range model {
			bytes += len(ev.Raw)
		}
		if q.bytes != bytes || (q.head() == nil) != (len(model) == 0) {
			t.Fatalf("%d bytes, want %d", q.bytes, bytes)
		}
	}
	if cap(q.items) > 4*most {
		t.Errorf("room for %d items, of which %d were held at most", cap(q.items), most)
	}
	// What was popped holds on to no text.
	for _, h := range q.items[:cap(q.items)] {
		for _, r := range h.refs[:cap(h.refs)] {
			if h.ev == nil && r.part != nil {
				t.Fatal("a popped item keeps its parts")
			}
		}
	}
}
