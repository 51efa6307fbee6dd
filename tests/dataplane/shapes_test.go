package dataplane

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// shape is what somebody sends on a connection of its own, or what the upstream
// answers to a good request, and what comes of it.
type shape struct {
	name string
	talk func(c *wire) // sends the request
	want string        // the outcomes, in order, see wire; or others, where it is Envoy's to choose

	// answer is what the upstream sends, byte by byte; "" for a good answer.
	answer string
	// body is that of an outcome of 200; "" for the good answer's.
	body string
	// forwarded are lines of the request's header that reach the upstream beside
	// those which always do. What arrives has no others.
	forwarded []string
	// sent is the request's body that reaches the upstream; "" for hi's.
	sent string
}

// The words that pass nowhere, and a request and an answer that do.
const words = "purple giraffe"

var (
	hi   = prompt("hi")
	bad  = prompt(words)
	fine = completion("hi")
)

// tried is what came of a shape.
type tried struct {
	shape   *shape
	token   string
	outcome string
	answers []*answer
	seen    []byte // all that the client read
	next    string // what came of a good request after it
	nexts   []*answer
}

// Default deny on the wire: what is not on the allow-list, and what is not
// read, reaches neither the upstream nor the client.
//
// SHAPES_TABLE=FILE writes what was tried as a table.
func TestShapes(t *testing.T) {
	up := newRecorder(t)
	s := start(t, "--policy", "testdata/policy.toml", "--upstream", "http://"+up.address()+"/v1", "--max-body", "65536")
	var shapes []*shape
	for _, group := range [][]shape{
		h1Paths(), h1Methods(), h1Framing(), h1Bodies(), h1Headers(), h1Pipelines(),
		h2Paths(), h2Headers(), h2Frames(), answers(),
	} {
		for i := range group {
			shapes = append(shapes, &group[i])
		}
	}
	results := tryAll(s, up, shapes)
	log := s.verdictsByID()
	if path := os.Getenv("SHAPES_TABLE"); path != "" {
		writeTable(t, path, results)
	}
	names := make(map[string]bool)
	for _, r := range results {
		if names[r.shape.name] {
			t.Errorf("two shapes named %s", r.shape.name)
		}
		names[r.shape.name] = true
		t.Run(r.shape.name, func(t *testing.T) { r.check(t, up, log) })
	}
	wantBlockedOnly(t, results, s.verdictsByID())
	for _, text := range up.unclaimed() {
		t.Errorf("reached the upstream: %q", text)
	}
}

// tryAll tries many at once, since some take Envoy a second to end.
func tryAll(s *sidecar, up *recorder, shapes []*shape) []*tried {
	results := make([]*tried, len(shapes))
	slots := make(chan struct{}, 12)
	var all sync.WaitGroup
	for i, sh := range shapes {
		slots <- struct{}{}
		all.Go(func() {
			results[i] = try(s, up, sh, fmt.Sprintf("shape-%d", i))
			<-slots
		})
	}
	all.Wait()
	return results
}

func try(s *sidecar, up *recorder, sh *shape, token string) *tried {
	r := &tried{shape: sh, token: token}
	if sh.answer != "" {
		up.program(token, sh.answer)
	}
	c := &wire{s: s, token: token, want: strings.Split(sh.want, ", "), body: sh.body}
	sh.talk(c)
	c.end()
	r.outcome, r.answers, r.seen = strings.Join(c.outcomes, ", "), c.answers, c.seen.Bytes()
	// Whatever it was, the next one is served.
	next := &wire{s: s, token: token + "-next", want: []string{"200"}}
	text(post("", hi))(next)
	next.end()
	r.next, r.nexts = strings.Join(next.outcomes, ", "), next.answers
	return r
}

// check compares what came with what should.
func (r *tried) check(t *testing.T, up *recorder, log map[string][]verdictLine) {
	if !slices.Contains(strings.Split(r.shape.want, " or "), r.outcome) {
		t.Errorf("outcome %q, want %q; read %q", r.outcome, r.shape.want, cut(r.seen))
	}
	if r.next != "200" {
		t.Errorf("the next request: %q", r.next)
	}
	if strings.Contains(strings.ToLower(string(r.seen)), "giraffe") {
		t.Errorf("words reached the client: %q", cut(r.seen))
	}
	arrived, want := up.claim(r.token), strings.Count(r.outcome, "200")
	if r.shape.answer != "" {
		want = 1
	}
	if len(arrived) != want {
		t.Errorf("%d requests reached the upstream, want %d: %q", len(arrived), want, arrived)
	}
	for _, text := range arrived {
		wantArrival(t, up, r.token, text, r.shape.forwarded, r.shape.sent)
	}
	for _, text := range up.claim(r.token + "-next") {
		wantArrival(t, up, r.token+"-next", text, nil, "")
	}
	for _, a := range r.answers {
		a.checkVerdict(t, log)
	}
}

// wantBlockedOnly holds that what ended without an answer has no verdict of
// having been allowed. It may have none, if Envoy ended it early.
func wantBlockedOnly(t *testing.T, results []*tried, log map[string][]verdictLine) {
	t.Helper()
	for _, r := range results {
		for _, a := range append(r.answers, r.nexts...) {
			delete(log, a.header.Get("x-request-id"))
		}
	}
	for id, verdicts := range log {
		if len(verdicts) != 1 || verdicts[0].Action != "BLOCK" {
			t.Errorf("verdicts of %s, which ended without an answer: %+v", id, verdicts)
		}
	}
}

// verdictsByID is the log's verdicts by the id of their request.
func (s *sidecar) verdictsByID() map[string][]verdictLine {
	found := make(map[string][]verdictLine)
	for line := range strings.Lines(s.log()) {
		var v verdictLine
		if strings.Contains(line, `"verdict"`) && json.Unmarshal([]byte(line), &v) == nil && v.Msg == "verdict" {
			found[v.RequestID] = append(found[v.RequestID], v)
		}
	}
	return found
}

func cut(b []byte) []byte { return b[:min(len(b), 2000)] }
