package extproc

import (
	"cmp"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"github.com/difflabai/confidential-safety/verdict"
)

// Observer counts what becomes of exchanges. What it is told are names of
// closed sets and numbers, and never anything of a request or response.
type Observer interface {
	// Began is told of every exchange, inspected or not.
	Began()
	// Ended is told of the same, once: the API, "" for what is not inspected,
	// the code of the refusal, if it was one, and the verdict, if there is one,
	// with whether it is on record, which not every one has to be.
	Ended(api, code string, v *verdict.External, recorded bool)
	// Noticed is told of the events below.
	Noticed(event string)
	// Moved is told of bytes of bodies that came from Envoy and went back to
	// it. It is called for each token.
	Moved(response bool, received, released int)
}

// The events that an observer is told of.
const (
	EventPanic    = "panic"    // caught; the exchange was blocked
	EventDeadline = "deadline" // an exchange was ended because it waited too long
	EventShutdown = "shutdown" // an exchange was ended because the processor stops
	// EventUnrecorded: a verdict could not be recorded; the exchange was blocked.
	EventUnrecorded = "unrecorded"
)

// nobody observes nothing.
type nobody struct{}

func (nobody) Began()                                        {}
func (nobody) Ended(string, string, *verdict.External, bool) {}
func (nobody) Noticed(string)                                {}
func (nobody) Moved(response bool, received, released int)   {}

// arrived tells of the body bytes of a message.
func (b *inbox) arrived(m *extprocv3.ProcessingRequest) {
	switch r := m.GetRequest().(type) {
	case *extprocv3.ProcessingRequest_RequestBody:
		b.observer.Moved(false, len(r.RequestBody.GetBody()), 0)
	case *extprocv3.ProcessingRequest_ResponseBody:
		b.observer.Moved(true, len(r.ResponseBody.GetBody()), 0)
	}
}

// observed tells of an exchange that is over.
func (x *exchange) observed() {
	api, code, v := "", x.code, x.verdict
	if x.seized { // whatever came of it, the client was told this
		code, v = refuseUnchecked.code, cmp.Or(x.instead, v)
	}
	if x.api != nil {
		api = x.api.Name
		if !x.recorded && !x.exempt {
			x.srv.cfg.Observer.Noticed(EventUnrecorded)
		}
	}
	x.srv.cfg.Observer.Ended(api, code, v, x.recorded)
}
