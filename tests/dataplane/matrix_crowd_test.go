package dataplane

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What the crowd's answers are made of.
var (
	crowdFirst = chunk(0, role, "null") + said(0, clearedWords)
	crowdMore  = said(0, moreWords)
	crowdEnd   = chunk(0, "{}", `"stop"`) + done
	crowdBad   = said(0, forbiddenWords) + said(0, wordsAfter)
)

// crowd is an exchange of each kind at each time, all of which meet one fault.
type crowd struct {
	part, fault, how string
	trips            []*trip
	goOn             chan struct{}
	at               time.Time // of the fault
}

// gather brings a crowd to where it is to stand.
func gather(t *testing.T, base string, up *rawModel, part, fault, how string) *crowd {
	t.Helper()
	c := &crowd{part: part, fault: fault, how: how, goOn: make(chan struct{})}
	for _, proto := range []string{"h1", "h2"} {
		for _, when := range append(matrixWhens, beforeFirstByte) {
			tr := newTrip(base, proto, when)
			tr.goOn = c.goOn
			// The first to stand before the first byte is a stream, the other not.
			tr.whole = len(c.trips) > 0 && c.trips[len(c.trips)-1].when == atEnd
			sent := make(chan struct{})
			tr.asked = &up.asked
			tr.token, tr.script = up.on(crowdAnswer(tr, sent))
			if when == beforeHeaders || when == inRequest {
				tr.forbid()
			}
			switch when {
			case inMidStream:
				tr.cleared = crowdFirst
				tr.mark = len(tr.cleared)
			case atEnd:
				tr.cleared = crowdFirst + crowdMore + crowdEnd
				tr.mark = len(crowdFirst + crowdMore)
			}
			tr.warm(t)
			if when != beforeHeaders {
				tr.start()
			}
			c.trips = append(c.trips, tr)
			var stands <-chan struct{}
			switch when {
			case beforeFirstByte:
				stands = sent
			case inMidStream, atEnd:
				stands = tr.reached
			default:
				continue
			}
			select {
			case <-stands:
			case <-tr.done:
				t.Fatalf("%s, %s: %+v", proto, when, tr.wait(t))
			case <-time.After(10 * time.Second):
				t.Fatalf("%s, %s: not reached", proto, when)
			}
		}
	}
	time.Sleep(200 * time.Millisecond) // what was sent arrives
	return c
}

// crowdAnswer answers as far as the trip is to come, and then goes on with what
// must not pass.
func crowdAnswer(tr *trip, sent chan<- struct{}) func(*rawConn) {
	return func(c *rawConn) {
		c.receive()
		wait := func() {
			select {
			case <-tr.goOn:
			case <-time.After(hangs):
			}
		}
		if tr.whole {
			body := completion(forbiddenWords, wordsAfter)
			c.say(fmt.Sprintf("%scontent-length: %d\r\n\r\n", jsonHead, len(body)), body[:80])
			close(sent)
			wait()
			c.say(body[80:])
			return
		}
		c.say(sseHead)
		c.event(chunk(0, role, "null"))
		switch tr.when {
		case inMidStream:
			c.event(said(0, clearedWords))
		case atEnd:
			c.event(said(0, clearedWords), crowdMore, crowdEnd)
		}
		close(sent)
		wait()
		if tr.when != atEnd {
			c.event(crowdBad, done)
		}
		c.say("0\r\n\r\n")
	}
}

// meet says that the fault has come. Those that wait to send do so now.
func (c *crowd) meet(fault func()) {
	c.at = time.Now()
	fault()
	for _, tr := range c.trips {
		if tr.when == beforeHeaders {
			tr.start()
		}
	}
}

// on lets clients and upstream send the rest.
func (c *crowd) on() { close(c.goOn) }

// expectation is what a crowd must have come to.
type expectation struct {
	verdicts func(id string) []verdictLine // nil: there is nobody to write one
	mayLack  string                        // why an exchange may be without a verdict
	hang     string                        // why a client may wait for longer
	trap     bool                          // bytes are known to get by, if the processor were to do that
	next     func(*trip) string
}

// judge looks at what became of each of the crowd.
func (c *crowd) judge(t *testing.T, m *matrix, e expectation) {
	t.Helper()
	for _, tr := range c.trips {
		how := c.how
		if tr.whole {
			how = joined(how, "whole answer")
		}
		judge(t, m, cell{c.part, c.fault, tr.when, how}, tr, c.at, e)
	}
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}

// judge notes what became of one exchange and fails the test if anything got
// by, the client was left waiting, or a verdict is missing.
func judge(t *testing.T, m *matrix, at cell, tr *trip, fault time.Time, e expectation) {
	t.Helper()
	got := tr.wait(t)
	o := fate{proto: tr.proto, client: len(got.body), saw: got.words(), know: max(0, got.at.Sub(fault))}
	o.uninspected = got.uninspected(tr.cleared)
	tr.script.mu.Lock()
	o.upstream = tr.script.head + tr.script.bytes
	forbidden := markedBytes(tr.script.body)
	id := tr.script.id
	tr.script.mu.Unlock()
	o.uninspected += forbidden
	if tr.body[1] != "" {
		o.uninspected += o.upstream // it was to be blocked
	}
	if o.trap = e.trap; o.uninspected > 0 && !o.trap {
		t.Errorf("%s, %s: %d bytes got by: upstream %d, client %q, headers %v %v, %v", at, tr.proto, o.uninspected, o.upstream, got.body, got.header, got.infos, got.err)
	}
	if got.at.Sub(fault) >= hangs && e.hang == "" {
		t.Errorf("%s, %s: the client was left waiting", at, tr.proto)
	}
	if id == "" && !strings.Contains(got.header.Get("x-request-id"), "-") { // else Envoy made it up
		id = got.header.Get("x-request-id")
	}
	o.verdict = verdictOf(t, at, tr.proto, id, e)
	if e.next != nil {
		if o.next = e.next(tr); o.next[:2] == "no" {
			t.Errorf("%s, %s: next request: %s", at, tr.proto, o.next)
		}
	}
	tr.client.CloseIdleConnections()
	m.add(at, o)
}

// verdictOf waits for the one verdict of an exchange.
func verdictOf(t *testing.T, at cell, proto, id string, e expectation) string {
	t.Helper()
	if e.verdicts == nil {
		return "none: " + e.mayLack
	}
	if id == "" {
		return "not known by an id"
	}
	patience := 5 * time.Second
	if e.mayLack != "" {
		patience = 300 * time.Millisecond
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		switch v := e.verdicts(id); {
		case len(v) == 1:
			return v[0].Action + " " + v[0].RiskCategory
		case len(v) > 1:
			t.Errorf("%s, %s: %d verdicts", at, proto, len(v))
			return fmt.Sprint(len(v))
		case time.Now().After(end):
			if e.mayLack != "" {
				return "none: " + e.mayLack
			}
			t.Errorf("%s, %s: no verdict of %q", at, proto, id)
			return "missing"
		}
	}
}

// nextOn asks for the next answer with a client that has seen the fault. A
// connection that broke may take one request with it.
func nextOn(base func() string, up *rawModel) func(*trip) string {
	return func(tr *trip) string {
		token, _ := up.on(answerFine)
		last := ""
		for try := range 100 {
			next := newTrip(base(), tr.proto, atEnd)
			next.client, next.token, next.asked = tr.client, token, &up.asked
			got := next.send()
			if got.status == http.StatusOK && got.body == completion("fine") {
				if try > 0 {
					return "yes, after a while"
				}
				return "yes"
			}
			last = got.words()
			time.Sleep(50 * time.Millisecond)
		}
		return "no: " + last
	}
}
