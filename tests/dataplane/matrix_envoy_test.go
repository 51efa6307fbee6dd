package dataplane

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// matrixEnvoy breaks the Envoy of `run`, which then ends.
func matrixEnvoy(t *testing.T, m *matrix) {
	up := newRawModel(t)
	begin := func() *sidecar {
		return start(t, "--policy", "testdata/policy.toml", "--upstream", up.url())
	}
	// The one that serves what comes next, and is itself only slow for a while.
	fresh := begin()
	next := nextOn(func() string { return fresh.url }, up)

	c := gather(t, fresh.url, up, "Envoy", "slow", "stopped twice for 0.6 s")
	pid := envoyOf(t, fresh)
	c.meet(func() {
		for range 2 {
			_ = syscall.Kill(pid, syscall.SIGSTOP)
			time.Sleep(600 * time.Millisecond)
			_ = syscall.Kill(pid, syscall.SIGCONT)
			time.Sleep(100 * time.Millisecond)
		}
	})
	c.on()
	c.judge(t, m, expectation{verdicts: fresh.verdicts, next: next})

	for _, death := range []struct {
		fault, how string
		signal     syscall.Signal
	}{
		{"killed", "SIGKILL, run ends", syscall.SIGKILL},
		{"closes cleanly", "SIGTERM, run ends", syscall.SIGTERM},
		{"closes with error", "SIGABRT, run ends", syscall.SIGABRT},
	} {
		s := begin()
		s.want = 1
		c := gather(t, s.url, up, "Envoy", death.fault, death.how)
		pid := envoyOf(t, s)
		c.meet(func() { _ = syscall.Kill(pid, death.signal); <-s.exited })
		c.on()
		for _, tr := range c.trips {
			tr.wait(t)
		}
		if code := s.wait(t); code != 1 {
			t.Errorf("%s: exit code %d", death.fault, code)
		}
		c.judge(t, m, expectation{verdicts: s.verdicts, next: next})
		// All but those that had not sent their headers.
		wantVerdicts(t, s.stderr, death.fault, len(c.trips)-2, 0)
	}
}

// wantVerdicts counts the verdicts in a log: one of each exchange, but that
// there need not be one where Envoy answered alone.
func wantVerdicts(t *testing.T, log, what string, n, alone int) {
	t.Helper()
	var ids map[string]bool
	var all []verdictLine
	// The verdict of an exchange that was given up comes behind its answer.
	for end := time.Now().Add(5 * time.Second); len(all) < n && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		ids = make(map[string]bool)
		all = verdictsIn(log, func(v verdictLine) bool { ids[v.RequestID] = true; return true })
	}
	if len(all) < n-alone || len(all) > n || len(ids) != len(all) {
		t.Errorf("%s: %d verdicts of %d exchanges, want %d, but for up to %d", what, len(all), len(ids), n, alone)
	}
}

// matrixEnvoyStopped stops the Envoy of `run` for longer than the sidecar has
// patience with it.
func matrixEnvoyStopped(t *testing.T, m *matrix) {
	up := newRawModel(t)
	s := start(t, "--policy", "testdata/policy.toml", "--upstream", up.url())
	c := gather(t, s.url, up, "Envoy", "stopped", "SIGSTOP for 17 s")
	pid := envoyOf(t, s)
	goOn := sync.OnceFunc(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	defer goOn()
	c.meet(func() {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
		waitFor(t, "envoy to stop", func() bool {
			state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			return err == nil && strings.Contains(string(state), ") T ")
		})
	})
	c.on()
	// The sidecar is to have given up on it before it goes on: 10 s until it
	// asks, 5 s until it has no answer.
	time.Sleep(time.Until(c.at.Add(16500 * time.Millisecond)))
	wantVerdicts(t, s.stderr, "stopped", len(c.trips)-2, 0)
	goOn()
	c.judge(t, m, expectation{verdicts: s.verdicts, next: nextOn(func() string { return s.url }, up)})
}
