package extproc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/difflabai/confidential-safety/classify"
	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/extproc/inspect"
	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

const testPolicy = `[policy]
version = "7"
policy_id = "extproc-test"
[[risk_categories]]
name = "WEAPONS"
action = "BLOCK"
classifiers = [{ type = "pattern_match", pattern_file = "block.txt" }]
[[risk_categories]]
name = "BIOTERROR"
action = "REDACT"
classifiers = [{ type = "pattern_match", pattern_file = "redact.txt" }]
[[risk_categories]]
name = "CYBER_ATTACK"
action = "WARN"
classifiers = [{ type = "pattern_match", pattern_file = "warn.txt" }]
`

const (
	requestTime  = 30 * time.Second
	upstreamTime = 60 * time.Second
	responseTime = time.Hour
	maxBody      = 1 << 20
	maxRequests  = 200
)

// house is a server with all that a test may look at or break.
type house struct {
	*Server
	recorder *fakeRecorder
	faulty   *faultyClassifier
	trap     *trap
	logs     *syncBuffer
	budget   *Budget
	observer *fakeObserver
}

// trap has a named place of the house do something, once it is set.
type trap struct{ set atomic.Pointer[trapped] }

type trapped struct {
	place string
	do    func()
}

func (p *trap) at(place string) {
	if s := p.set.Load(); s != nil && s.place == place {
		s.do()
	}
}

// apis are made once: tests make many houses.
var apis = sync.OnceValue(decode.APIs)

// newHouse is the only place of the tests that makes a Config.
func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{trap: &trap{}, logs: &syncBuffer{}, budget: NewBudget(64 << 20), observer: &fakeObserver{}}
	h.recorder = &fakeRecorder{trap: h.trap}
	b, err := policy.Load(fstest.MapFS{
		"policy.toml": {Data: []byte(testPolicy)},
		"block.txt":   {Data: []byte("codename nightjar")},
		"redact.txt":  {Data: []byte("project heron")},
		"warn.txt":    {Data: []byte("operation finch")},
	}, "policy.toml")
	if err != nil {
		t.Fatal(err)
	}
	h.faulty = &faultyClassifier{Classifier: patterns(), trap: h.trap}
	limits := inspect.DefaultLimits()
	limits.Decode.Body = maxBody
	limits.Requests, limits.Responses = h.budget.Requests(), h.budget.Responses()
	var ids atomic.Int64
	h.Server = New(Config{
		APIs:          apis(),
		Inspector:     inspect.New(b.Policy, h.faulty, limits),
		PolicyVersion: "7",
		Local:         http.HandlerFunc(localPaths),
		Recorder:      h.recorder,
		Timeouts:      Timeouts{Request: requestTime, Upstream: upstreamTime, Response: responseTime},
		MaxBody:       maxBody,
		MaxRequests:   maxRequests,
		Observer:      h.observer,
		NewID: func() string {
			h.trap.at("NewID")
			return "id-" + strconv.FormatInt(ids.Add(1), 10)
		},
		Now: func() time.Time {
			h.trap.at("Now")
			return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		},
		Log: slog.New(slog.NewJSONHandler(h.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	// Whatever a test does, no log line has a word of what went through.
	t.Cleanup(func() {
		logs := strings.ToLower(h.logs.String())
		for _, word := range []string{"nightjar", "heron", "finch", "fox", "secret", "bearer"} {
			if strings.Contains(logs, word) {
				t.Errorf("%q is in the logs: %s", word, logs)
			}
		}
	})
	return h
}

// patterns is built once: the automaton takes longer than a test.
var patterns = sync.OnceValue(func() classify.Classifier {
	rule := func(text string, c verdict.Category) classify.Rule {
		return classify.Rule{Pattern: classify.Pattern{Text: text, Confidence: classify.LiteralConfidence}, Category: c, ClassifierID: "patterns"}
	}
	p, err := classify.NewPatterns([]classify.Rule{
		rule("codename nightjar", verdict.Weapons), rule("project heron", verdict.Bioterror), rule("operation finch", verdict.CyberAttack),
	})
	if err != nil {
		panic(err)
	}
	return p
})

func localPaths(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/v1/health":
		w.Header().Set("content-type", "application/json")
		_, _ = io.WriteString(w, `{"status":"ok"}`)
	case "/v1/receipts/1":
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, r.Header.Get("authorization"))
	case "/panic":
		panic("secret")
	default:
		http.NotFound(w, r)
	}
}

// fakeRecorder counts verdicts and fails on request.
type fakeRecorder struct {
	trap     *trap
	mu       sync.Mutex
	verdicts []verdict.External
	ids      []string
	fail     error
	panics   bool
}

func (r *fakeRecorder) Record(ctx context.Context, requestID, api string, v verdict.External) error {
	r.trap.at("Record")
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.panics {
		panic("secret")
	}
	if err := ctx.Err(); err != nil {
		return err // recording may not depend on a client that stays
	}
	r.verdicts = append(r.verdicts, v)
	r.ids = append(r.ids, requestID+" "+api)
	return r.fail
}

// expect checks that there is exactly one verdict, and which.
func (r *fakeRecorder) expect(t testing.TB, s verdict.Stage, a verdict.Action, c verdict.Category) verdict.External {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.verdicts) != 1 {
		t.Fatalf("%d verdicts, want 1", len(r.verdicts))
	}
	v := r.verdicts[0]
	if v.Stage != s || v.Action != a || v.RiskCategory != c || v.PolicyVersion != "7" || v.Timestamp != "2026-01-02T03:04:05Z" {
		t.Errorf("verdict %+v, want %v %v %v", v, s, a, c)
	}
	if r.ids[0] != "id-1 chat_completions" {
		t.Errorf("recorded for %q", r.ids[0])
	}
	return v
}

func (r *fakeRecorder) expectNone(t testing.TB) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.verdicts) != 0 {
		t.Errorf("verdicts for what is not inspected: %+v", r.verdicts)
	}
}

// faultyClassifier is the real one until it is told to fail, when it reads the
// given word.
type faultyClassifier struct {
	classify.Classifier
	trap *trap
	word string
	do   func() error
	wait bool // until the context is done
}

func (c *faultyClassifier) NewScanner(s verdict.Stage) classify.Scanner {
	c.trap.at("NewScanner")
	return &faultyScanner{c.Classifier.NewScanner(s), c}
}

type faultyScanner struct {
	classify.Scanner
	c *faultyClassifier
}

func (s *faultyScanner) Write(ctx context.Context, text []byte, dst []classify.Match) ([]classify.Match, int64, error) {
	s.c.trap.at("Write")
	if err := s.c.waiting(ctx); err != nil {
		return nil, 0, err
	}
	if s.c.word != "" && bytes.Contains(text, []byte(s.c.word)) {
		if err := s.c.do(); err != nil {
			return nil, 0, err
		}
	}
	return s.Scanner.Write(ctx, text, dst)
}

func (s *faultyScanner) Settle(ctx context.Context, dst []classify.Match) ([]classify.Match, error) {
	s.c.trap.at("Settle")
	return s.Scanner.Settle(ctx, dst)
}

func (s *faultyScanner) Close(ctx context.Context, dst []classify.Match) ([]classify.Match, error) {
	s.c.trap.at("Close")
	return s.Scanner.Close(ctx, dst)
}

var errFault = errors.New("the secret fox")

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
