package dataplane

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/difflabai/confidential-safety/envoy"
)

// matrixDir is a short directory for sockets.
func matrixDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "mx-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// served is `serve`, and an Envoy that outlives it.
type served struct {
	dir, url string
	args     []string
	cmd      *exec.Cmd
	exited   chan struct{}
	log      string // file, of all that were started
}

// startServed starts the sidecar and its Envoy.
func startServed(t *testing.T, up *rawModel, args ...string) *served {
	t.Helper()
	s := &served{dir: matrixDir(t)}
	s.log = filepath.Join(s.dir, "log")
	s.args = append([]string{
		"--tee", "simulated", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(s.dir, "data"), "--log-format", "json",
		"--policy", "testdata/policy.toml", "--upstream", up.url(), "--extproc-addr", "unix://" + s.socket("ext"),
		"--sds-addr", "unix://" + s.socket("sds"), "--http-addr", "unix://" + s.socket("http"),
	}, args...)
	s.start(t)
	t.Cleanup(func() { s.kill(); s.checkRaces(t) })
	print := exec.Command(binary, append([]string{"envoy", "bootstrap"}, s.args...)...)
	print.Env = environment()
	text, err := print.Output()
	if err != nil {
		t.Fatal(err)
	}
	s.url = startEnvoyOn(t, s.dir, text, s.socket("admin.sock"))
	return s
}

func (s *served) socket(name string) string { return filepath.Join(s.dir, name) }

// start starts a sidecar where the one before was.
func (s *served) start(t *testing.T) {
	t.Helper()
	s.cmd = exec.Command(binary, append([]string{"serve"}, s.args...)...)
	s.cmd.Env = environment()
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := os.OpenFile(s.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stderr = errs
	err = s.cmd.Start()
	_ = errs.Close()
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	s.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		defer close(exited)
		lines := bufio.NewScanner(out)
		if lines.Scan() {
			close(ready)
		}
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	}(s.cmd, s.exited)
	select {
	case <-ready:
	case <-s.exited:
		text, _ := os.ReadFile(s.log)
		t.Fatalf("serve ended: %s", text)
	case <-time.After(30 * time.Second):
		t.Fatal("serve is not ready")
	}
}

func (s *served) signal(sig syscall.Signal) func() {
	return func() { _ = s.cmd.Process.Signal(sig) }
}

// kill ends the sidecar and waits for that.
func (s *served) kill() {
	_ = s.cmd.Process.Signal(syscall.SIGKILL)
	<-s.exited
}

func (s *served) checkRaces(t *testing.T) {
	text, _ := os.ReadFile(s.log)
	if strings.Contains(string(text), "DATA RACE") {
		t.Errorf("data race:\n%s", text)
	}
}

func (s *served) verdicts(id string) []verdictLine {
	return verdictsIn(s.log, func(v verdictLine) bool { return v.RequestID == id })
}

// verdictsIn reads the verdicts from a log.
func verdictsIn(file string, which func(verdictLine) bool) (found []verdictLine) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		var v verdictLine
		if json.Unmarshal([]byte(line), &v) == nil && v.Msg == "verdict" && which(v) {
			found = append(found, v)
		}
	}
	return found
}

// startEnvoyOn starts an Envoy with a bootstrap and returns its URL.
func startEnvoyOn(t *testing.T, dir string, bootstrap []byte, adminSocket string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	bin, err := envoy.Finder{Cache: filepath.Join(cache, "confidential-safety"), Log: slog.New(slog.DiscardHandler)}.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "envoy.json")
	if err := os.WriteFile(file, bootstrap, 0o600); err != nil {
		t.Fatal(err)
	}
	child, err := envoy.Start(bin, file, envoy.LogText, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		child.Stop(ctx)
	})
	admin := envoy.NewAdmin(adminSocket)
	var address string
	waitFor(t, "envoy", func() bool {
		address, err = admin.Address(t.Context())
		return err == nil && admin.Ready(t.Context()) == nil
	})
	return "https://" + address
}
