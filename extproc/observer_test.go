package extproc

import (
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/difflabai/confidential-safety/verdict"
)

// fakeObserver keeps count.
type fakeObserver struct {
	mu                  sync.Mutex
	began, ended        int
	codes, events       map[string]int
	apis                map[string]int
	received, released  [2]int
	verdicts, unrecords int
}

func (o *fakeObserver) Began() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.began++
}

func (o *fakeObserver) Ended(api, code string, v *verdict.External, recorded bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.codes == nil {
		o.codes, o.apis = map[string]int{}, map[string]int{}
	}
	o.ended++
	o.codes[code]++
	o.apis[api]++
	if v != nil && recorded {
		o.verdicts++
	}
}

func (o *fakeObserver) Noticed(event string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.events == nil {
		o.events = map[string]int{}
	}
	o.events[event]++
	if event == EventUnrecorded {
		o.unrecords++
	}
}

func (o *fakeObserver) Moved(s bool, received, released int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.received[index(side(s))] += received
	o.released[index(side(s))] += released
}

// What an observer is told of one exchange of each kind.
func TestObserver(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		o := h.observer
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("hi"), true), respSSE(), respBody(event("one. "), false), respBody(doneEvent, true))
		if err := e.result(); err != nil {
			t.Fatal(err)
		}
		sent, got := len(ask("hi")), len(event("one. ")+doneEvent)
		if o.received != [2]int{sent, got} || o.released != [2]int{sent, got} {
			t.Errorf("bytes %v %v, want %d and %d both ways", o.received, o.released, sent, got)
		}
		if o.began != 1 || o.ended != 1 || o.codes[""] != 1 || o.apis["chat_completions"] != 1 || o.verdicts != 1 {
			t.Errorf("%+v", o)
		}
		e = begin(t, h.Server)
		e.send(get("/v1/health"))
		e = begin(t, h.Server)
		e.send(get("/nothing"))
		e = begin(t, h.Server)
		e.send(post(), reqBody(ask("codename nightjar"), true))
		h.faulty.word, h.faulty.do = "fox", func() error { panic("the secret fox") }
		e = begin(t, h.Server)
		e.send(post(), reqBody(ask("the fox"), true))
		h.recorder.fail = errFault
		e = begin(t, h.Server)
		e.send(post(), reqBody(ask("codename nightjar"), true))
		h.recorder.fail, h.recorder.panics = nil, true
		e = begin(t, h.Server)
		e.send(post(), reqBody(ask("codename nightjar"), true))
		if _ = e.result(); o.began != 7 || o.ended != 7 || o.apis[""] != 2 || o.codes["not_found"] != 1 || o.codes["content_blocked"] != 1 ||
			o.codes["not_checked"] != 1 || o.verdicts != 3 || o.unrecords != 2 || o.events[EventPanic] < 2 {
			t.Errorf("%+v", o)
		}
	})
}

// What has no verdict in the log is not missed there; what was given up has that
// of the watch.
func TestObserverOfVerdicts(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		o := h.observer
		e := begin(t, h.Server)
		e.send(get("/v1/models"), respJSON(), respBody(`{"data":[{"id":"m"}]}`, true))
		e.expectEnd("H> H< B<.", codes.OK)
		if o.apis["models"] != 1 || o.verdicts != 0 || o.unrecords != 0 {
			t.Errorf("%+v", o)
		}
		e, then := stuck(t, h)
		time.Sleep(soon)
		then <- func() {}
		e.expectEnd("H> B>. I503", codes.Internal)
		if o.apis["chat_completions"] != 1 || o.codes["not_checked"] != 1 || o.verdicts != 1 || o.unrecords != 0 {
			t.Errorf("%+v", o)
		}
		h.recorder.fail = errFault
		e, then = stuck(t, h)
		time.Sleep(soon)
		then <- func() {}
		e.expectEnd("H> B>. I503", codes.Internal)
		if o.codes["not_checked"] != 2 || o.verdicts != 1 || o.unrecords != 1 {
			t.Errorf("%+v", o)
		}
	})
}
