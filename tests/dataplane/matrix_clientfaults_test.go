package dataplane

import (
	"strings"
	"testing"
	"time"
)

// matrixClient has the clients fail. They are no part of ours, and their rows
// come on top of the matrix: what matters is that an exchange whose client is
// gone ends, with a verdict, and harms no other.
func matrixClient(t *testing.T, m *matrix) {
	up := newRawModel(t)
	s := start(t, "--policy", "testdata/policy.toml", "--upstream", up.url(), "--request-timeout", "5s", "--upstream-timeout", "2s")
	next := nextOn(func() string { return s.url }, up)

	// HTTP/1.1 clients close their connection, HTTP/2 clients reset the stream.
	c := gather(t, s.url, up, "client", "killed", "goes away")
	c.meet(func() {
		for _, tr := range c.trips {
			tr.leave()
		}
	})
	for _, tr := range c.trips {
		if tr.when != beforeHeaders { // that one was never sent
			tr.wait(t)
		}
	}
	time.Sleep(200 * time.Millisecond)
	c.on()
	for _, tr := range c.trips {
		if tr.when == beforeHeaders {
			m.add(cell{"client", "killed", beforeHeaders, "goes away"}, fate{cannot: "nothing was sent"})
			continue
		}
		how := c.how
		if tr.whole {
			how = joined(how, "whole answer")
		}
		judge(t, m, cell{"client", "killed", tr.when, how}, tr, c.at, expectation{verdicts: s.verdicts, next: next})
	}

	// Two that stop reading a long answer, for longer than the upstream may
	// take, and then read the rest.
	for _, proto := range []string{"h1", "h2"} {
		tr := newTrip(s.url, proto, inMidStream)
		tr.asked = &up.asked
		words := said(0, strings.Repeat("fine words, ", 500))
		const events = 2000 // 12 MB: more than the buffers hold
		tr.cleared = crowdFirst + strings.Repeat(words, events) + crowdEnd
		tr.token, tr.script = up.on(func(c *rawConn) {
			c.receive()
			c.say(sseHead)
			c.event(crowdFirst)
			for range events {
				if !c.event(words) {
					return
				}
			}
			c.event(crowdEnd)
			c.say(lastChunk)
		})
		tr.pause = 4 * time.Second
		at := time.Now()
		tr.start()
		judge(t, m, cell{"client", "stopped", inMidStream, "reads nothing for 4 s, with an upstream timeout of 2 s"}, tr, at, expectation{verdicts: s.verdicts, next: next})
	}
	wantVerdicts(t, s.stderr, "client", int(up.asked.all.Load())-2, int(up.asked.alone.Load())) // those never sent
}

// leave ends the trip as a client does that goes away.
func (tr *trip) leave() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.left = true
	if tr.cancel != nil {
		tr.cancel()
	}
}
