package dataplane

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// classifierFaults are the ways for a classifier to fail. The name is what the
// child knows it by; broken ones have the exchange blocked.
var classifierFaults = []struct {
	fault, how, name string
	harmless         bool
}{
	{"killed", "panic", "panic", false},
	{"killed", "its goroutine ends", "goexit", false},
	{"stopped", "until its context is done", "waits", false},
	{"stopped", "whatever its context says", "stuck", false},
	{"slow", "0.3 s", "slow", true},
	{"closes cleanly", "clears all and finds nothing, beside one that does", "blind", true},
	{"closes cleanly", "finds in what it had cleared, which may be out", "late", false},
	{"closes with error", "", "error", false},
	{"sends garbage", "a place beyond the text", "beyond", false},
	{"sends garbage", "a place before the text", "below", false},
	{"sends garbage", "clears beyond the text", "overclears", false},
	{"sends garbage", "clears less than before", "backwards", false},
	{"sends garbage", "confidence NaN", "nan", false},
	{"sends garbage", "an unknown category", "category", false},
	{"sends too much", "a million matches", "million", true},
	{"sends too much", "a million matches to redact", "redactions", true},
}

// matrixClassifier has the processor ask a classifier that misbehaves, beside
// the one that there is.
func matrixClassifier(t *testing.T, m *matrix) {
	up := newRawModel(t)
	c := startChild(t, "classifier", up)
	next := nextOn(func() string { return c.url }, up)
	e := expectation{verdicts: c.verdicts, next: next}

	// What makes a scanner knows of no request, so those of all fail alike.
	for _, f := range []struct{ fault, how, name string }{
		{"killed", "panic", "panic"}, {"killed", "its goroutine ends", "goexit"}, {"slow", "0.3 s", "slow"}, {"sends garbage", "no scanner", "nil"},
	} {
		if err := os.WriteFile(filepath.Join(c.dir, "scanners"), []byte(f.name), 0o600); err != nil {
			t.Fatal(err)
		}
		var trips []*trip
		at := time.Now()
		for _, proto := range []string{"h1", "h2"} {
			tr := newTrip(c.url, proto, beforeHeaders)
			tr.asked = &up.asked
			tr.token, tr.script = up.on(answerFine)
			tr.cleared = completion("fine")
			trips = append(trips, tr)
			tr.start()
		}
		for _, tr := range trips {
			tr.wait(t)
		}
		_ = os.Remove(filepath.Join(c.dir, "scanners"))
		for _, tr := range trips {
			judge(t, m, cell{"classifier", f.fault, beforeHeaders, joined("making its scanner", f.how)}, tr, at, e)
			if got := tr.wait(t); f.name != "slow" && got.status != 503 || f.name == "slow" && got.status != 200 {
				t.Errorf("scanner %s, %s: %s", f.name, tr.proto, got.words())
			}
		}
	}
	const noError = "making a scanner gives no error and says nothing of a text"
	m.cannot("classifier", "stopped", "making a scanner gets no context to heed; a lock that is never free would be as one that is stuck in the request", beforeHeaders)
	m.cannot("classifier", "closes cleanly", noError, beforeHeaders)
	m.cannot("classifier", "closes with error", noError, beforeHeaders)
	m.cannot("classifier", "sends too much", noError, beforeHeaders)

	cells := make(map[string]func(*testing.T))
	for _, f := range classifierFaults {
		for _, when := range matrixWhens[1:] {
			for _, proto := range []string{"h1", "h2"} {
				cells[strings.Join([]string{f.name, when, proto}, ", ")] = func(t *testing.T) {
					tr := newTrip(c.url, proto, when)
					tr.asked = &up.asked
					fault := fmt.Sprintf("zz-%s-write ", f.name)
					switch {
					case when == atEnd:
						fault = fmt.Sprintf("zz-%s-close ", f.name)
					case f.name == "late" && when == inRequest:
						fault = "zz-late-close "
					}
					tr.token, tr.script = up.on(classifierAnswer(when, fault, f.name == "blind"))
					switch when {
					case inRequest:
						tr.body[0] = prompt(fault+"words", streaming)
						if f.name == "blind" {
							tr.body[0] = prompt(fault+forbiddenWords, streaming)
						}
						if f.name == "blind" || !f.harmless {
							tr.body[1] = " " // it is not to reach the upstream
							close(tr.goOn)
						} else {
							tr.cleared = classifierAll(when, fault)
						}
					case beforeFirstByte, inMidStream, atEnd:
						tr.cleared = classifierAll(when, fault)
						switch {
						case f.name == "redactions":
							tr.cleared = strings.Replace(tr.cleared, "write ", "writ[REDACTED] ", 1)
						case !f.harmless && f.name != "late" && when == beforeFirstByte:
							tr.cleared = chunk(0, role, "null")
						}
					}
					at := time.Now()
					tr.start()
					tr.wait(t)
					if faulted := tr.script.fault(); !faulted.IsZero() {
						at = faulted
					}
					judge(t, m, cell{"classifier", f.fault, when, f.how}, tr, at, e)
					if got := tr.wait(t); got.words() == wholeAnswer && !f.harmless {
						t.Errorf("%s", got.words())
					}
				}
			}
		}
	}
	atOnce(t, cells)
	wantVerdicts(t, c.log, "classifier", int(up.asked.all.Load()), int(up.asked.alone.Load()))
}

// classifierAll is the whole of an answer in which the classifier fails.
func classifierAll(when, fault string) string {
	switch when {
	case beforeFirstByte:
		return chunk(0, role, "null") + said(0, fault) + crowdEnd
	case inMidStream:
		return crowdFirst + said(0, fault) + crowdEnd
	case atEnd:
		return crowdFirst + said(0, fault) + crowdEnd
	}
	return crowdFirst + crowdEnd
}

// classifierAnswer answers so that the classifier fails when it is to.
func classifierAnswer(when, fault string, bad bool) func(*rawConn) {
	return func(c *rawConn) {
		c.receive()
		c.say(sseHead)
		c.event(chunk(0, role, "null"))
		if when != beforeFirstByte {
			c.event(said(0, clearedWords))
			time.Sleep(100 * time.Millisecond)
		}
		c.s.faulted()
		if when != inRequest {
			c.event(said(0, fault))
		}
		if bad {
			c.event(crowdBad)
		}
		c.event(crowdEnd)
		c.say(lastChunk)
	}
}
