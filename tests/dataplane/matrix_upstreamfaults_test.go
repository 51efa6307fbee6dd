package dataplane

import (
	"strings"
	"testing"
	"time"
)

// matrixUpstream has the upstream fail under a sidecar that does not.
func matrixUpstream(t *testing.T, m *matrix) {
	up := newRawModel(t)
	s := start(t, "--policy", "testdata/policy.toml", "--upstream", up.url(), "--max-body", "65536",
		"--request-timeout", "5s", "--upstream-timeout", "2s")
	e := expectation{verdicts: s.verdicts, next: nextOn(func() string { return s.url }, up)}

	// What happens to a connection before its request happens to all.
	for _, c := range acceptCells() {
		up.onAccept(c.accept)
		c.answer = answerFine
		e := e
		e.next = nil
		trips := []*trip{upstreamTrip(s.url, "h1", up, c.upstreamCell), upstreamTrip(s.url, "h2", up, c.upstreamCell)}
		at := time.Now()
		for _, tr := range trips {
			tr.start()
		}
		for _, tr := range trips {
			tr.wait(t)
		}
		up.onAccept(nil)
		e.next = nextOn(func() string { return s.url }, up)
		for _, tr := range trips {
			judgeUpstream(t, m, c.upstreamCell, tr, at, e)
		}
	}
	cells := make(map[string]func(*testing.T))
	for _, c := range upstreamCells() {
		if c.alone() {
			for _, proto := range []string{"h1", "h2"} {
				tr := upstreamTrip(s.url, proto, up, c)
				tr.start()
				tr.wait(t)
				judgeUpstream(t, m, c, tr, tr.script.fault(), e)
				up.onAccept(nil)
			}
			continue
		}
		for _, proto := range []string{"h1", "h2"} {
			cells[strings.Join([]string{c.fault, c.when, c.how, proto}, ", ")] = func(t *testing.T) {
				tr := upstreamTrip(s.url, proto, up, c)
				tr.start()
				tr.wait(t)
				// A connection that another cell broke may have been chosen:
				// without retries that is a 502, and not this fault.
				for tries := 0; tr.script.fault().IsZero() && tries < 5; tries++ {
					tr = upstreamTrip(s.url, proto, up, c)
					tr.start()
					tr.wait(t)
				}
				judgeUpstream(t, m, c, tr, tr.script.fault(), e)
			}
		}
	}
	atOnce(t, cells)
	// Each exchange has one verdict, also those that no id tells of.
	wantVerdicts(t, s.stderr, "upstream", int(up.asked.all.Load()), int(up.asked.alone.Load()))
	if up.stray > 0 {
		t.Errorf("%d requests at the upstream that nobody made", up.stray)
	}
}

// alone reports whether a cell must not share a connection to the upstream with
// others: what the upstream sends without being asked may be the answer to
// whoever is next, inspected as all answers are.
func (c upstreamCell) alone() bool {
	return strings.HasPrefix(c.how, "a second response") || c.how == "after the last chunk"
}

func upstreamTrip(base, proto string, up *rawModel, c upstreamCell) *trip {
	tr := newTrip(base, proto, c.when)
	tr.body[0] = prompt(strings.Repeat("fine words, ", 4000), streaming)
	if c.whole {
		tr.body[0] = prompt("hi")
	}
	tr.token, tr.script = up.on(c.answer)
	tr.asked = &up.asked
	if !c.whole {
		switch c.when {
		case inMidStream:
			tr.mark = len(crowdFirst)
		case atEnd:
			tr.mark = len(crowdFirst + crowdMore)
		}
	}
	if tr.mark > 0 {
		tr.script.reached = tr.reached
	}
	tr.cleared = c.cleared
	return tr
}

// judgeUpstream also holds a cell to what it must come to.
func judgeUpstream(t *testing.T, m *matrix, c upstreamCell, tr *trip, fault time.Time, e expectation) {
	t.Helper()
	at := cell{"upstream", c.fault, c.when, c.how}
	judge(t, m, at, tr, fault, e)
	m.mu.Lock()
	rows := m.rows[at]
	o := rows[len(rows)-1]
	for _, row := range rows {
		if row.proto == tr.proto {
			o = row
		}
	}
	m.mu.Unlock()
	if !oneOf(o.saw, c.saw) || !oneOf(o.verdict, c.verdict) {
		t.Errorf("%s, %s: saw %q with %q, want %q with %q: %q %v", at, tr.proto, o.saw, o.verdict, c.saw, c.verdict, tr.saw.body, tr.saw.err)
	}
}

func oneOf(got, want string) bool {
	for w := range strings.SplitSeq(want, "|") {
		if strings.Contains(got, w) {
			return true
		}
	}
	return false
}

type acceptCell struct {
	upstreamCell
	accept func(*rawConn) bool
}

// acceptCells are those in which the upstream does not wait for a request.
func acceptCells() []acceptCell {
	badBody := completion(forbiddenWords + wordsAfter)
	row := func(fault, how, cleared, saw, verdict string, accept func(*rawConn) bool) acceptCell {
		return acceptCell{upstreamCell{fault: fault, when: beforeHeaders, how: how, cleared: cleared, saw: saw, verdict: verdict}, accept}
	}
	ends := func(f func(*rawConn)) func(*rawConn) bool {
		return func(c *rawConn) bool { f(c); return true }
	}
	blocked := "|451 content_blocked"
	return []acceptCell{
		row("killed", "", "", failed502, either, ends((*rawConn).reset)),
		row("stopped", "", "", timeout504, unavailable, ends((*rawConn).stall)),
		row("slow", "", completion("fine"), wholeAnswer, allowed, func(*rawConn) bool { time.Sleep(400 * time.Millisecond); return false }),
		row("closes cleanly", "", "", failed502, either, ends((*rawConn).end)),
		row("closes with error", "status 503 before the request", errorBody, "503 oom|500 oom|"+failed502, either, ends(sayingAndEnd(failing(errorBody)))),
		row("sends garbage", "", "", failed502, either, ends(func(c *rawConn) { c.say("\x16\x03\x01purple giraffe\r\n\r\n"); c.stall() })),
		row("sends too much", "two responses before the request", "", failed502+blocked, either+"|BLOCK FORBIDDEN", ends(func(c *rawConn) { c.say(sized(badBody), sized(badBody)); c.stall() })),
	}
}
