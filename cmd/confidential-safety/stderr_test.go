package main

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/difflabai/confidential-safety/envoy"
)

// A pipe that nobody reads is a log that cannot be written, and not one to wait
// for: exchanges are blocked, the health says so, and the log goes on without its
// lines. It all comes back when the pipe is read.
func TestStandardErrorThatNobodyReads(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close() //nolint:errcheck // a test's pipe
	verdicts := newVerdictLog(w, envoy.LogJSON)
	h := &health{verdicts: verdicts}
	log := slog.New(newLogHandler(w, envoy.LogJSON, slog.LevelInfo))

	soon(t, "a verdict", func() {
		const most = 1 << 20 / 100 // verdicts that fill any pipe
		err := error(nil)
		for i := 0; i < most && err == nil; i++ {
			err = verdicts.Record(t.Context(), "REQ", "/", external("VID"))
		}
		if !errors.Is(err, errUnread) {
			t.Errorf("a full pipe: %v", err)
		}
	})
	soon(t, "the health", func() {
		if _, body := getHealth(t, h); body["status"] != "refusing" {
			t.Errorf("%v while nobody reads", body)
		}
	})
	soon(t, "the log", func() { log.Info("draining") })

	go io.Copy(io.Discard, r) //nolint:errcheck // ends with the pipe
	soon(t, "what comes behind", func() {
		for _, body := getHealth(t, h); body["status"] != "ok"; _, body = getHealth(t, h) {
			time.Sleep(time.Millisecond)
		}
		if err := verdicts.Record(t.Context(), "REQ", "/", external("VID")); err != nil {
			t.Error(err)
		}
	})
}

// soon fails a test in which f does not come to an end.
func soon(t *testing.T, name string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s waits for the pipe to be read", name)
	}
}
