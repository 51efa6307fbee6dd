package dataplane

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sidecar is a running `confidential-safety run`.
type sidecar struct {
	cmd     *exec.Cmd
	url     string
	roots   *x509.CertPool
	caFile  string
	client  *http.Client // HTTP/1.1
	client2 *http.Client // HTTP/2

	want   int // exit code of a sidecar that no signal ended
	exited chan struct{}
	stderr string // file
}

// readyLine is what the program prints when it serves.
type readyLine struct {
	Ready      bool   `json:"ready"`
	URL        string `json:"url"`
	CAFile     string `json:"ca_file"`
	PolicyHash string `json:"policy_hash"`
	TEE        string `json:"tee"`
}

// verdictLine is the log line of a verdict.
type verdictLine struct {
	Msg           string `json:"msg"`
	RequestID     string `json:"request_id"`
	API           string `json:"api"`
	VerdictID     string `json:"verdict_id"`
	Stage         string `json:"stage"`
	RiskCategory  string `json:"risk_category"`
	Action        string `json:"action"`
	PolicyVersion string `json:"policy_version"`
	Timestamp     string `json:"timestamp"`
}

// runtimeDir is where sidecars put their sockets. Some are killed by tests and
// leave them there.
var runtimeDir string

// environment is this process's, less what would set something.
func environment() []string {
	env := []string{"XDG_RUNTIME_DIR=" + runtimeDir}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "CONFIDENTIAL_SAFETY_") && !strings.HasPrefix(e, "XDG_RUNTIME_DIR=") {
			env = append(env, e)
		}
	}
	return env
}

// launch starts the program with a data directory of its own and waits until it
// is ready. The caller stops it.
func launch(dataDir string, args ...string) (*sidecar, error) {
	return launchWith(environment(), dataDir, args...)
}

func launchWith(env []string, dataDir string, args ...string) (*sidecar, error) {
	f, err := os.CreateTemp(memoryDir(), "dataplane-log-")
	if err != nil {
		return nil, err
	}
	_ = f.Close()
	return launchInto(f.Name(), env, dataDir, args...)
}

// launchInto has standard error written to the named file.
func launchInto(stderr string, env []string, dataDir string, args ...string) (*sidecar, error) {
	args = append([]string{
		"run", "--tee", "simulated", "--listen", "127.0.0.1:0", "--data-dir", dataDir, "--log-format", "json",
	}, args...)
	s := &sidecar{cmd: exec.Command(binary, args...), exited: make(chan struct{})}
	s.cmd.Env = env
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	errs, err := os.OpenFile(stderr, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	s.cmd.Stderr, s.stderr = errs, stderr
	err = s.cmd.Start()
	_ = errs.Close()
	if err != nil {
		return nil, err
	}
	first := make(chan readyLine, 1)
	go func() {
		defer close(s.exited)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var r readyLine
			if json.Unmarshal(lines.Bytes(), &r) == nil && r.Ready {
				first <- r
			}
		}
		_ = s.cmd.Wait()
	}()
	select {
	case r := <-first:
		return s, s.connect(r)
	case <-s.exited:
		return nil, errors.New("ended before it was ready: " + s.log())
	case <-time.After(6 * time.Minute): // a first run fetches Envoy
		_ = s.cmd.Process.Kill()
		return nil, errors.New("not ready: " + s.log())
	}
}

func (s *sidecar) connect(r readyLine) error {
	pem, err := os.ReadFile(r.CAFile)
	if err != nil {
		return err
	}
	s.url, s.caFile, s.roots = r.URL, r.CAFile, x509.NewCertPool()
	s.roots.AppendCertsFromPEM(pem)
	transport := func(protos ...string) *http.Client {
		return &http.Client{
			Timeout: time.Minute,
			Transport: &http.Transport{
				TLSClientConfig:     &tls.Config{RootCAs: s.roots, NextProtos: protos},
				ForceAttemptHTTP2:   len(protos) > 0 && protos[0] == "h2",
				MaxIdleConnsPerHost: 100,
			},
		}
	}
	s.client, s.client2 = transport("http/1.1"), transport("h2")
	return nil
}

// start launches a sidecar for one test.
func start(t testing.TB, args ...string) *sidecar {
	t.Helper()
	s, err := launch(t.TempDir(), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop(t) })
	return s
}

// stop ends the sidecar as an operator does and checks how it went.
func (s *sidecar) stop(t testing.TB) {
	t.Helper()
	s.client.CloseIdleConnections()
	s.client2.CloseIdleConnections()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	if code := s.wait(t); code != s.want && code != -1 {
		t.Errorf("exit code %d, want %d:\n%s", code, s.want, s.log())
	}
	if strings.Contains(s.log(), "DATA RACE") {
		t.Errorf("data race:\n%s", s.log())
	}
	if strings.Contains(s.stderr, "dataplane-log-") {
		_ = os.Remove(s.stderr)
	}
}

// wait returns the exit code, -1 for a process that a signal ended.
func (s *sidecar) wait(t testing.TB) int {
	t.Helper()
	select {
	case <-s.exited:
	case <-time.After(time.Minute):
		_ = s.cmd.Process.Kill()
		t.Errorf("did not end:\n%s", s.log())
		<-s.exited
	}
	return s.cmd.ProcessState.ExitCode()
}

// log is what has been written to standard error.
func (s *sidecar) log() string {
	if info, err := os.Stat(s.stderr); err == nil && !info.Mode().IsRegular() {
		return "" // a device
	}
	text, err := os.ReadFile(s.stderr)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// memoryDir is on a memory file system where there is one, so that what is
// measured is not a disk.
func memoryDir() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// verdicts returns the verdicts of a request.
func (s *sidecar) verdicts(requestID string) (found []verdictLine) {
	for line := range strings.Lines(s.log()) {
		var v verdictLine
		if json.Unmarshal([]byte(line), &v) == nil && v.Msg == "verdict" && v.RequestID == requestID {
			found = append(found, v)
		}
	}
	return found
}

// verdict waits for the one verdict of a request.
func (s *sidecar) verdict(t testing.TB, requestID string) verdictLine {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; {
		found := s.verdicts(requestID)
		if len(found) == 1 {
			return found[0]
		}
		if len(found) > 1 || time.Now().After(end) {
			t.Fatalf("%d verdicts of request %q: %+v", len(found), requestID, found)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
