package dataplane

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"google.golang.org/grpc"

	"github.com/difflabai/confidential-safety/classify"
	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/extproc"
	"github.com/difflabai/confidential-safety/extproc/inspect"
	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

// registerBrokenClassifier serves the processor with a classifier that
// misbehaves where a text says so, beside the patterns of the test policy.
func registerBrokenClassifier(s *grpc.Server, dir string) error {
	b, err := policy.LoadFile("testdata/policy.toml")
	if err != nil {
		return err
	}
	var rules []classify.Rule
	for _, c := range b.Policy.Categories {
		for _, cl := range c.Classifiers {
			data, _ := b.File(cl.PatternFile)
			patterns, err := classify.ParsePatterns(cl.PatternFile, data)
			if err != nil {
				return err
			}
			for _, p := range patterns {
				rules = append(rules, classify.Rule{Pattern: p, Category: c.Name, ClassifierID: "patterns"})
			}
		}
	}
	patterns, err := classify.NewPatterns(rules)
	if err != nil {
		return err
	}
	limits := inspect.DefaultLimits()
	limits.Decode.Body = 65536
	extproc.New(extproc.Config{
		APIs:          decode.APIs(),
		Inspector:     inspect.New(b.Policy, classify.Ensemble(patterns, broken{dir}), limits),
		PolicyVersion: b.Policy.Version,
		Local: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
		}),
		Recorder:    logRecorder{slog.New(slog.NewJSONHandler(os.Stderr, nil))},
		Timeouts:    extproc.Timeouts{Request: 1500 * time.Millisecond, Upstream: 1500 * time.Millisecond, Response: time.Minute},
		MaxRequests: 1000,
		MaxBody:     65536,
		NewID:       rand.Text,
		Now:         time.Now,
		Log:         slog.New(slog.DiscardHandler),
	}).Register(s)
	return nil
}

// logRecorder writes verdicts as the program does.
type logRecorder struct{ log *slog.Logger }

func (r logRecorder) Record(ctx context.Context, requestID, api string, v verdict.External) error {
	r.log.InfoContext(ctx, "verdict", "request_id", requestID, "api", api, "verdict_id", v.VerdictID, "stage", string(v.Stage),
		"risk_category", string(v.RiskCategory), "action", v.Action.String())
	return nil
}

// broken is a classifier that clears all and finds nothing until it is told to
// fail: by a file, for what makes scanners, or by a text, for the scanners.
type broken struct{ dir string }

func (b broken) NewScanner(verdict.Stage) classify.Scanner {
	if name, err := os.ReadFile(filepath.Join(b.dir, "scanners")); err == nil {
		switch string(name) {
		case "panic":
			panic("purple giraffe")
		case "goexit":
			runtime.Goexit()
		case "slow":
			time.Sleep(300 * time.Millisecond)
		case "nil":
			return nil
		}
	}
	return &brokenScanner{}
}

type brokenScanner struct {
	n       int64 // of text
	atClose string
	late    bool
}

func (s *brokenScanner) Write(ctx context.Context, text []byte, dst []classify.Match) ([]classify.Match, int64, error) {
	start := s.n
	s.n += int64(len(text))
	if s.late {
		return append(dst, found(0, 3, 0.99, "FORBIDDEN")), s.n, nil
	}
	name, when := order(text)
	switch when {
	case "write":
		return s.fail(ctx, name, start, dst)
	case "close":
		s.atClose = name
	}
	return dst, s.n, nil
}

func (s *brokenScanner) Settle(_ context.Context, dst []classify.Match) ([]classify.Match, error) {
	return dst, nil
}

func (s *brokenScanner) Close(ctx context.Context, dst []classify.Match) ([]classify.Match, error) {
	var err error
	switch {
	case s.late:
		dst = append(dst, found(0, 3, 0.99, "FORBIDDEN"))
	case s.atClose != "":
		dst, _, err = s.fail(ctx, s.atClose, 0, dst)
	}
	*s = brokenScanner{}
	return dst, err
}

// order reads what a text tells the classifier to do, and when.
func order(text []byte) (name, when string) {
	_, rest, ok := bytes.Cut(text, []byte("zz-"))
	if !ok {
		return "", ""
	}
	n, rest, _ := bytes.Cut(rest, []byte("-"))
	w, _, _ := bytes.Cut(rest, []byte(" "))
	return string(n), string(w)
}

func found(start, end int64, confidence float64, c verdict.Category) classify.Match {
	return classify.Match{Finding: verdict.Finding{Category: c, Confidence: confidence, ClassifierID: "broken"}, Start: start, End: end}
}

// fail does what the name says.
func (s *brokenScanner) fail(ctx context.Context, name string, start int64, dst []classify.Match) ([]classify.Match, int64, error) {
	switch name {
	case "panic":
		panic("purple giraffe")
	case "goexit":
		runtime.Goexit()
	case "waits":
		<-ctx.Done()
		return nil, 0, ctx.Err()
	case "stuck":
		time.Sleep(2 * hangs)
	case "slow":
		time.Sleep(300 * time.Millisecond)
	case "late":
		if s.atClose == "" {
			s.late = true
			break
		}
		return append(dst, found(0, 3, 0.99, "FORBIDDEN")), s.n, nil
	case "error":
		return nil, 0, errors.New("purple giraffe")
	case "beyond":
		return append(dst, found(start, 1<<40, 0.99, "DELICATE")), s.n, nil
	case "below":
		return append(dst, found(-1, 1, 0.99, "DELICATE")), s.n, nil
	case "overclears":
		return append(dst, found(s.n-1, s.n+1, 0.99, "DELICATE")), s.n + 1, nil
	case "backwards":
		return append(dst, found(0, 0, 0.99, "DELICATE")), -1, nil
	case "nan":
		return append(dst, found(start, s.n, math.NaN(), "DELICATE")), s.n, nil
	case "category":
		return append(dst, found(start, s.n, 0.99, "GARDENING")), s.n, nil
	case "million", "redactions":
		category := verdict.Category("DELICATE")
		if name == "redactions" {
			category = "CODENAME"
		}
		for range 1_000_000 {
			dst = append(dst, found(s.n-2, s.n-1, 0.99, category))
		}
	}
	return dst, s.n, nil
}
