package dataplane

import (
	"syscall"
	"testing"
	"time"
)

// matrixSidecar breaks the sidecar's process under an Envoy that goes on.
func matrixSidecar(t *testing.T, m *matrix) {
	up := newRawModel(t)
	s := startServed(t, up, "--drain-timeout", "400ms")
	next := nextOn(func() string { return s.url }, up)
	same := expectation{verdicts: s.verdicts, next: next}

	// A stop that ends before Envoy gives up is only a delay.
	c := gather(t, s.url, up, "sidecar", "slow", "stopped twice for 0.6 s")
	c.meet(func() {
		for range 2 {
			s.signal(syscall.SIGSTOP)()
			time.Sleep(600 * time.Millisecond)
			s.signal(syscall.SIGCONT)()
			time.Sleep(100 * time.Millisecond)
		}
	})
	c.on()
	c.judge(t, m, same)

	c = gather(t, s.url, up, "sidecar", "stopped", "SIGSTOP")
	c.meet(s.signal(syscall.SIGSTOP))
	c.on()
	for _, tr := range c.trips {
		tr.wait(t)
	}
	s.signal(syscall.SIGCONT)()
	// What came while it was stopped it may never get to see.
	c.judge(t, m, expectation{verdicts: s.verdicts, mayLack: "the request never arrived", next: next})

	c = gather(t, s.url, up, "sidecar", "killed", "SIGKILL, then restarted")
	c.meet(s.kill)
	c.on()
	for _, tr := range c.trips {
		tr.wait(t)
	}
	s.start(t)
	c.judge(t, m, expectation{mayLack: "it was killed", next: next})

	// Told to end: what ends within the drain timeout does so as ever.
	c = gather(t, s.url, up, "sidecar", "closes cleanly", "SIGTERM, drained in time")
	c.meet(s.signal(syscall.SIGTERM))
	c.on()
	for _, tr := range c.trips {
		tr.wait(t)
	}
	<-s.exited
	wantExit(t, s, 0)
	s.start(t)
	c.judge(t, m, same)

	c = gather(t, s.url, up, "sidecar", "closes cleanly", "SIGTERM, the drain timeout passes")
	c.meet(s.signal(syscall.SIGTERM))
	<-s.exited
	c.on()
	for _, tr := range c.trips {
		tr.wait(t)
	}
	wantExit(t, s, 0)
	s.start(t)
	c.judge(t, m, same)
}

func wantExit(t *testing.T, s *served, code int) {
	t.Helper()
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
}
