package main

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
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

// A line that did not fit whole on a disk that was full must not take the next one
// with it, whoever of the two logs writes that.
func TestLineThatWasCutOff(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // a test's file
	limited := &limitedFile{File: f, room: 40}
	w := unblocked(limited)
	verdicts, log := newVerdictLog(w, envoy.LogJSON), slog.New(newLogHandler(w, envoy.LogJSON, slog.LevelInfo))
	log.Info("cut off, since this is longer than the room that is left")
	for range 2 {
		if err := verdicts.Record(t.Context(), "REQ", "/", external("VID")); err == nil {
			t.Error("recorded on a full disk")
		}
	}
	limited.room = 1 << 20
	for range 2 {
		if err := verdicts.Record(t.Context(), "REQ", "/", external("VID")); err != nil {
			t.Error(err)
		}
	}
	data, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	if len(lines) != 4 || len(lines[0]) != 40 || !json.Valid([]byte(lines[1])) || !json.Valid([]byte(lines[2])) || lines[3] != "" {
		t.Errorf("%q", lines)
	}
}

// limitedFile is a file on a disk with little room.
type limitedFile struct {
	*os.File
	room int
}

func (f *limitedFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p[:min(f.room, len(p))])
	if f.room -= n; err == nil && n < len(p) {
		err = syscall.ENOSPC
	}
	return n, err
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
