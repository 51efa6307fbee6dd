package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/difflabai/confidential-safety/envoy"
	"github.com/difflabai/confidential-safety/verdict"
)

func external(id string) verdict.External {
	d := verdict.Decision{Stage: verdict.PreInferenceGate, Action: verdict.Block, Category: verdict.Weapons}
	return verdict.NewExternal(id, d, "3.1.4", time.Date(2026, 2, 3, 4, 5, 6, 7, time.FixedZone("", 3600)))
}

func TestVerdictLine(t *testing.T) {
	for format, want := range map[envoy.LogFormat]string{
		envoy.LogText: `time=2026-02-03T03:05:06.000Z level=INFO msg=verdict request_id=REQ api=/v1/chat/completions verdict_id=VID` +
			` stage=PRE_INFERENCE_GATE risk_category=WEAPONS action=BLOCK policy_version=3.1.4 timestamp=2026-02-03T03:05:06Z` + "\n",
		envoy.LogJSON: `{"time":"2026-02-03T03:05:06Z","level":"INFO","msg":"verdict","request_id":"REQ","api":"/v1/chat/completions","verdict_id":"VID",` +
			`"stage":"PRE_INFERENCE_GATE","risk_category":"WEAPONS","action":"BLOCK","policy_version":"3.1.4","timestamp":"2026-02-03T03:05:06Z"}` + "\n",
	} {
		var out bytes.Buffer
		if err := newVerdictLog(&out, format).Record(t.Context(), "REQ", "/v1/chat/completions", external("VID")); err != nil || out.String() != want {
			t.Errorf("%v\n%s\nwant\n%s", err, out.String(), want)
		}
	}
}

// The log's level is no matter of verdicts.
func TestVerdictLogLevel(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(newLogHandler(&out, envoy.LogText, slog.LevelError))
	log.Warn("not this")
	if err := newVerdictLog(&out, envoy.LogText).Record(t.Context(), "REQ", "/", external("VID")); err != nil {
		t.Fatal(err)
	}
	log.Error("but this")
	if got := out.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "msg=verdict") || strings.Contains(got, "not this") {
		t.Errorf("%s", got)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

// The processor blocks what it could not record, so it must hear of it.
func TestVerdictLogFails(t *testing.T) {
	full := errors.New("no space left on device")
	for _, format := range []envoy.LogFormat{envoy.LogText, envoy.LogJSON} {
		if err := newVerdictLog(brokenWriter{full}, format).Record(t.Context(), "REQ", "/", external("VID")); !errors.Is(err, full) {
			t.Errorf("%s: %v", format, err)
		}
		var out bytes.Buffer
		v := external("VID")
		v.Timestamp = "yesterday"
		if err := newVerdictLog(&out, format).Record(t.Context(), "REQ", "/", v); err == nil || out.Len() > 0 {
			t.Errorf("%s: %v, %q", format, err, out.String())
		}
	}
}

// Lines of verdicts and of the log stay whole on one file, whoever writes.
func TestVerdictLogConcurrent(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // a test's file
	verdicts, log := newVerdictLog(f, envoy.LogJSON), slog.New(newLogHandler(f, envoy.LogJSON, slog.LevelInfo))
	const writers, each = 16, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if err := verdicts.Record(t.Context(), "REQ", "/", external(fmt.Sprint(w, "-", i))); err != nil {
					t.Error(err)
				}
				log.Info("other", "n", i)
			}
		})
	}
	wg.Wait()
	data, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	lines := 0
	for line := range bytes.Lines(data) {
		lines++
		var v struct {
			ID string `json:"verdict_id"`
		}
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if v.ID != "" {
			seen[v.ID] = true
		}
	}
	if len(seen) != writers*each || lines != 2*writers*each {
		t.Errorf("%d verdicts in %d lines", len(seen), lines)
	}
}
