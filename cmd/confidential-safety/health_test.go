package main

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/difflabai/confidential-safety/envoy"
	"github.com/difflabai/confidential-safety/extproc"
)

func getHealth(t *testing.T, h http.Handler) (int, map[string]string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/health", http.NoBody))
	var body map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("%q: %v", w.Body, err)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	return w.Code, body
}

// While verdicts cannot be recorded nothing is served, and health says so until
// one can be.
func TestHealthOfTheVerdictLog(t *testing.T) {
	w := &switchedWriter{}
	h := &health{verdicts: newVerdictLog(w, envoy.LogText)}
	for _, step := range []struct {
		err    error
		record bool
		status string
	}{
		{nil, true, "ok"},
		{errors.New("no space left on device"), false, "ok"}, // it has not been tried
		{errors.New("no space left on device"), true, "refusing"},
		{errors.New("no space left on device"), false, "refusing"},
		{nil, false, "ok"},
	} {
		w.err = step.err
		if step.record {
			if err := h.verdicts.Record(t.Context(), "REQ", "/", external("VID")); (err != nil) != (step.err != nil) {
				t.Errorf("recorded: %v", err)
			}
		}
		if code, body := getHealth(t, h); body["status"] != step.status || (code == http.StatusOK) != (step.status == "ok") {
			t.Errorf("%d %v, want %s", code, body, step.status)
		}
	}
}

// switchedWriter fails while err is set.
type switchedWriter struct{ err error }

func (w *switchedWriter) Write(p []byte) (int, error) { return len(p), w.err }

func TestHealth(t *testing.T) {
	h := &health{verdicts: newVerdictLog(io.Discard, envoy.LogText), policyHash: "aa", policyVersion: "3", tee: "simulated"}
	code, body := getHealth(t, services(h))
	want := map[string]string{"status": "ok", "policy_hash": "aa", "policy_version": "3", "tee": "simulated"}
	if code != http.StatusOK || len(body) != len(want) {
		t.Errorf("%d %v", code, body)
	}
	for k, v := range want {
		if body[k] != v {
			t.Errorf("%s is %q, want %q", k, body[k], v)
		}
	}
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, "/v1/other", http.StatusNotFound},
		{http.MethodGet, "/v1/health/", http.StatusNotFound},
		{http.MethodPost, "/v1/health", http.StatusMethodNotAllowed},
	} {
		w := httptest.NewRecorder()
		services(h).ServeHTTP(w, httptest.NewRequest(c.method, c.path, http.NoBody))
		if w.Code != c.want {
			t.Errorf("%s %s: status %d, want %d", c.method, c.path, w.Code, c.want)
		}
	}
}

// With nothing running, draining takes no time, and the health says so for good.
func TestDrainIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(health)
		s := &sidecar{
			cfg: &config{limits: limits{drainTimeout: time.Hour}}, log: slog.New(slog.DiscardHandler),
			health: h, services: services(h), processor: extproc.New(extproc.Config{}),
		}
		start := time.Now()
		s.drain(nil)
		if d := time.Since(start); d != 0 {
			t.Errorf("took %v", d)
		}
		code, body := getHealth(t, s.services)
		if code != http.StatusServiceUnavailable || body["status"] != "draining" {
			t.Errorf("%d %v", code, body)
		}
	})
}
