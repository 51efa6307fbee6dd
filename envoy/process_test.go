package envoy

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// lines is a writer that hands over what a child writes, line by line.
type lines struct{ c chan string }

func (l *lines) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		l.c <- strings.TrimSpace(line)
	}
	return len(b), nil
}

// next returns the next line, which must come soon.
func (l *lines) next(t *testing.T) string {
	t.Helper()
	select {
	case line := <-l.c:
		return line
	case <-time.After(10 * time.Second):
		t.Fatal("nothing is said")
		return ""
	}
}

// startFake runs a script as an Envoy, which is killed at the end of the test.
func startFake(t *testing.T, body string, stderr io.Writer) *Process {
	t.Helper()
	path := script(t, t.TempDir(), "envoy", body)
	p, err := Start(Binary{Path: path}, "/the/bootstrap.json", LogText, stderr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		p.Stop(ctx)
	})
	return p
}

func wantDone(t *testing.T, p *Process) {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on")
	}
}

func TestProcessSaysHowItEnded(t *testing.T) {
	for body, want := range map[string]string{
		"exit 0":          "envoy ended by itself",
		"exit 3":          "envoy ended: exit status 3",
		"kill -9 $$":      "envoy ended: signal: killed",
		"kill -TERM $$":   "envoy ended: signal: terminated",
		"sleep 20 & true": "envoy ended: exec: WaitDelay expired before I/O complete",
	} {
		p := startFake(t, body, &bytes.Buffer{})
		wantDone(t, p)
		wantError(t, body, p.Err(), want)
		p.Stop(t.Context()) // once more does nothing
	}
}

func TestProcessGetsItsArguments(t *testing.T) {
	for format, want := range map[LogFormat]string{
		LogText: `time=%Y-%m-%dT%H:%M:%S.%e%z level=%l msg="%j" component=envoy`,
		LogJSON: `{"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","msg":"%j","component":"envoy"}`,
	} {
		var out bytes.Buffer
		p, err := Start(Binary{Path: script(t, t.TempDir(), "envoy", `for a; do echo "$a"; done`)}, "/a b.json", format, &out)
		if err != nil {
			t.Fatal(err)
		}
		wantDone(t, p)
		if got := out.String(); got != "--config-path\n/a b.json\n--disable-hot-restart\n--log-level\nwarning\n--log-format\n"+want+"\n" {
			t.Errorf("%s: arguments\n%s", format, got)
		}
	}
}

func TestProcessHasNoEnvironment(t *testing.T) {
	t.Setenv("CONFIDENTIAL_SAFETY_SECRET", "nightjar")
	var out bytes.Buffer
	p := startFake(t, `tr '\0' '\n' < /proc/$$/environ; echo end`, &out)
	wantDone(t, p)
	if out.String() != "end\n" {
		t.Errorf("environment %s", out.String())
	}
}

func TestProcessForwardsWhatIsSaid(t *testing.T) {
	out := &lines{make(chan string, 10)}
	startFake(t, "echo on stdout; echo on stderr >&2; exec sleep 60", out)
	if a, b := out.next(t), out.next(t); a != "on stdout" || b != "on stderr" {
		t.Errorf("said %q, %q", a, b)
	}
}

func TestProcessHasAGroupOfItsOwn(t *testing.T) {
	p := startFake(t, "exec sleep 60", io.Discard)
	group, err := syscall.Getpgid(p.PID())
	if err != nil || group != p.PID() || group == syscall.Getpgrp() {
		t.Errorf("group %d of process %d, ours is %d: %v", group, p.PID(), syscall.Getpgrp(), err)
	}
}

func TestProcessStopsWhenAsked(t *testing.T) {
	out := &lines{make(chan string, 10)}
	p := startFake(t, "trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.05; done", out)
	out.next(t)
	select {
	case <-p.Done():
		t.Fatal("it ended before")
	default:
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	p.Stop(ctx)
	select {
	case <-p.Done():
	default:
		t.Error("Stop returned before the end")
	}
	if line := out.next(t); line != "asked" || ctx.Err() != nil {
		t.Errorf("said %q, %v", line, ctx.Err())
	}
	wantError(t, "stopped", p.Err(), "envoy ended by itself")
}

func TestProcessIsKilledAfterTheGrace(t *testing.T) {
	out := &lines{make(chan string, 10)}
	p := startFake(t, "trap '' TERM; echo ready; while :; do sleep 0.05; done", out)
	out.next(t)
	const grace = 300 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), grace)
	defer cancel()
	begin := time.Now()
	p.Stop(ctx)
	if took := time.Since(begin); took < grace || took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	wantError(t, "killed", p.Err(), "envoy ended: signal: killed")
}

func TestProcessThatCannotStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nothing")
	p, err := Start(Binary{Path: path}, "x", LogText, io.Discard)
	wantError(t, "nothing there", err, "starting envoy "+path, "no such file")
	if p != nil {
		t.Error("a process all the same")
	}
}

func TestProcessDiesWithUs(t *testing.T) {
	sidecar, pid := startSidecar(t, script(t, t.TempDir(), "envoy", "trap '' TERM HUP INT; exec sleep 60"))
	if !alive(pid) {
		t.Fatalf("process %d does not run", pid)
	}
	if err := sidecar.Kill(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); alive(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("Envoy goes on without the sidecar")
		}
	}
}
