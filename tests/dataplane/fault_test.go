package dataplane

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// 100 requests at once: each has its own answer and its own verdict.
func TestConcurrentRequests(t *testing.T) {
	s, m := common(t)
	var wg sync.WaitGroup
	ids := make([]string, 100)
	for i := range ids {
		wg.Go(func() {
			client := s.client
			if i%2 == 0 {
				client = s.client2
			}
			words := fmt.Sprintf("answer %d", i)
			switch i % 4 {
			case 0:
				token, _ := m.answer(whole(completion(words)))
				if g := ask(t, client, s.url, token, prompt("hi")); g.body != completion(words) {
					t.Errorf("%d: %s", i, g.body)
				} else {
					ids[i] = g.requestID
				}
			case 1:
				token, _ := m.answer(whole(completion(words)))
				g := ask(t, client, s.url, token, prompt("purple giraffe "+words))
				wantBlocked(t, s, g, "PRE_INFERENCE_GATE", "FORBIDDEN")
				ids[i] = g.requestID
			case 2:
				token, _ := m.answer(bytewise(streamed(words, " project nightjar")))
				g := ask(t, client, s.url, token, prompt("hi", streaming))
				if g.body != streamed(words, " [REDACTED]") {
					t.Errorf("%d: %s", i, g.body)
				}
				ids[i] = g.requestID
			default:
				token, _ := m.answer(whole(completion(words + " purple giraffe")))
				g := ask(t, client, s.url, token, prompt("hi"))
				wantBlocked(t, s, g, "POST_INFERENCE_GATE", "FORBIDDEN")
				ids[i] = g.requestID
			}
		})
	}
	wg.Wait()
	seen := make(map[string]bool)
	for i, id := range ids {
		if id == "" || seen[id] {
			t.Fatalf("request %d has the id %q", i, id)
		}
		seen[id] = true
		v := s.verdict(t, id)
		if want := []string{"ALLOW", "BLOCK", "REDACT", "BLOCK"}[i%4]; v.Action != want || seen[v.VerdictID] {
			t.Errorf("request %d: %+v, want %s", i, v, want)
		}
		seen[v.VerdictID] = true
	}
}

// A sidecar that is killed in mid-stream takes Envoy with it, and nothing more
// of the response reaches the client.
func TestKilledInMidStream(t *testing.T) {
	for proto := range 2 {
		t.Run(fmt.Sprintf("h%d", proto+1), func(t *testing.T) {
			m := newModel()
			m.srv.Start()
			t.Cleanup(m.srv.Close)
			s := start(t, "--policy", "testdata/policy.toml", "--upstream", m.srv.URL)
			client := []*http.Client{s.client, s.client2}[proto]
			const first = "Once upon a time, "
			killed := make(chan struct{})
			token, _ := m.answer(paused(said(0, first), killed, said(0, "a purple giraffe"), said(0, "came"), done))
			r := open(t, client, request(t, http.MethodPost, s.url+chatPath, token, prompt("hi", streaming)))
			r.until(t, said(0, first))
			pid := envoyOf(t, s)
			if err := s.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			close(killed)
			if g := r.rest(); g.body != "" || g.err == nil {
				t.Errorf("after the kill: %q, %v", g.body, g.err)
			}
			s.wait(t)
			gone(t, pid)
			// Its last thread may take a moment longer.
			waitFor(t, "nothing to listen", func() bool {
				conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "https://"))
				if err == nil {
					_ = conn.Close()
				}
				return err != nil
			})
		})
	}
}

// Envoy's death is the sidecar's.
func TestEnvoyDies(t *testing.T) {
	s := start(t)
	if err := syscall.Kill(envoyOf(t, s), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code := s.wait(t); code != 1 || !strings.Contains(s.log(), "envoy ended: signal: killed") {
		t.Errorf("exit code %d:\n%s", code, s.log())
	}
	s.want = 1
}

// On SIGTERM running streams finish, health says so, and the exit is clean.
func TestDrain(t *testing.T) {
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	s := start(t, "--policy", "testdata/policy.toml", "--upstream", m.srv.URL)
	seen := make(chan struct{})
	token, _ := m.answer(paused(said(0, "one"), seen, said(0, " two"), done))
	r := open(t, s.client, request(t, http.MethodPost, s.url+chatPath, token, prompt("hi", streaming)))
	r.until(t, said(0, "one"))
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "health to turn", func() bool {
		g := send(t, s.client2, request(t, http.MethodGet, s.url+"/v1/health", "", ""))
		return g.status == http.StatusServiceUnavailable && strings.Contains(g.body, `"status":"draining"`)
	})
	close(seen)
	if g := r.rest(); g.body != said(0, " two")+done || g.err != nil {
		t.Errorf("rest %q, %v", g.body, g.err)
	}
	if code := s.wait(t); code != 0 {
		t.Errorf("exit code %d:\n%s", code, s.log())
	}
}

// Streams that do not finish in time are ended with an error, not cut.
func TestDrainTimeout(t *testing.T) {
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	s := start(t, "--policy", "testdata/policy.toml", "--upstream", m.srv.URL, "--drain-timeout", "300ms")
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	token, _ := m.answer(paused(said(0, "one"), never))
	r := open(t, s.client, request(t, http.MethodPost, s.url+chatPath, token, prompt("hi", streaming)))
	r.until(t, said(0, "one"))
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	g := r.rest()
	if g.err != nil || !strings.Contains(g.body, `"code":"not_checked"`) || !strings.Contains(g.body, `"finish_reason":"content_filter"`) {
		t.Errorf("rest %q, %v", g.body, g.err)
	}
	if code := s.wait(t); code != 0 {
		t.Errorf("exit code %d:\n%s", code, s.log())
	}
}

// An upstream that does not answer is 502, one that is too slow 504.
func TestUpstreamAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	s := start(t, "--upstream", "http://"+l.Addr().String(), "--upstream-timeout", "400ms")
	g := ask(t, s.client, s.url, "", prompt("hi"))
	if r := parseRefusal(t, g.body); g.status != http.StatusGatewayTimeout || r.Error.Code != "upstream_timeout" {
		t.Errorf("silent: %d %s", g.status, g.body)
	}
	_ = l.Close()
	waitFor(t, "502", func() bool {
		g = ask(t, s.client, s.url, "", prompt("hi"))
		return g.status == http.StatusBadGateway
	})
	if r := parseRefusal(t, g.body); r.Error.Code != "upstream_failed" {
		t.Errorf("closed: %d %s", g.status, g.body)
	}
	s.verdict(t, g.requestID)
}

// While verdicts cannot be recorded no answer is complete and, from the second
// request on, none reaches the upstream.
func TestUnwritableVerdictLog(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Fatal("no /dev/full, a device of Linux that is always full")
	}
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	for name, body := range map[string]string{"json": prompt("hi"), "stream": prompt("hi", streaming)} {
		s, err := launchInto("/dev/full", environment(), t.TempDir(), "--policy", "testdata/policy.toml", "--upstream", m.srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		handler := whole(completion("fine"))
		if name == "stream" {
			handler = bytewise(streamed("fine", " day"))
		}
		token, received := m.answer(handler)
		g := ask(t, s.client, s.url, token, body)
		if !strings.Contains(g.body, `"code":"not_checked"`) || strings.Contains(g.body, "[DONE]") || strings.Contains(g.body, `"stop"`) {
			t.Errorf("%s: %d %s", name, g.status, g.body)
		}
		if g = ask(t, s.client2, s.url, token, body); g.status != http.StatusServiceUnavailable {
			t.Errorf("%s: second request: %d %s", name, g.status, g.body)
		}
		if g = send(t, s.client, request(t, http.MethodGet, s.url+"/v1/health", "", "")); g.status != http.StatusServiceUnavailable || !strings.Contains(g.body, `"refusing"`) {
			t.Errorf("%s: health %d %s", name, g.status, g.body)
		}
		if n := len(received.requests()); n != 1 {
			t.Errorf("%s: %d requests reached the upstream", name, n)
		}
		s.stop(t)
	}
}

// The reader of the log goes: nothing passes until there is one again.
func TestLogReaderGoes(t *testing.T) {
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	log := filepath.Join(t.TempDir(), "log")
	if err := syscall.Mkfifo(log, 0o600); err != nil {
		t.Fatal(err)
	}
	read := func() *os.File {
		f, err := os.OpenFile(log, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.Copy(io.Discard, f) }()
		return f
	}
	reader := read()
	s, err := launchInto(log, environment(), t.TempDir(), "--policy", "testdata/policy.toml", "--upstream", m.srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	token, received := m.answer(whole(completion("fine")))
	passes := func() bool { return ask(t, s.client, s.url, token, prompt("hi")).status == http.StatusOK }
	if !passes() {
		t.Error("refused while the log is read")
	}
	_ = reader.Close()
	waitFor(t, "a refusal", func() bool { return !passes() })
	n := len(received.requests())
	if g := ask(t, s.client2, s.url, token, prompt("hi")); g.status != http.StatusServiceUnavailable || !strings.Contains(g.body, `"code":"not_checked"`) || len(received.requests()) != n {
		t.Errorf("%d %s, %d requests reached the upstream", g.status, g.body, len(received.requests())-n)
	}
	reader = read()
	t.Cleanup(func() { _ = reader.Close() })
	waitFor(t, "service", passes)
	s.stop(t)
}

// A request that does not arrive in time is refused.
func TestSlowRequest(t *testing.T) {
	s := start(t, "--request-timeout", "300ms")
	body, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	req, err := http.NewRequest(http.MethodPost, s.url+chatPath, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	go func() { _, _ = io.WriteString(w, `{"messages":[`) }()
	g := send(t, s.client2, req)
	if r := parseRefusal(t, g.body); g.status != http.StatusRequestTimeout || r.Error.Code != "request_timeout" {
		t.Errorf("%d %s", g.status, g.body)
	}
}

// A client that goes away ends its exchange, with a verdict, and the next is
// served.
func TestClientGoesAway(t *testing.T) {
	s, m := common(t)
	var left atomic.Bool
	token, _ := m.answer(func(w http.ResponseWriter, r *http.Request) {
		pieces(said(0, "one"))(w, r)
		<-r.Context().Done()
		left.Store(true)
	})
	r := open(t, s.client2, request(t, http.MethodPost, s.url+chatPath, token, prompt("hi", streaming)))
	r.until(t, said(0, "one"))
	id := r.resp.Header.Get("x-request-id")
	_ = r.resp.Body.Close()
	s.verdict(t, id)
	waitFor(t, "the upstream to be let go", left.Load)
}

// No process of ours leaves a dump of its memory.
func TestNoCoreDumps(t *testing.T) {
	s, _ := common(t)
	for name, pid := range map[string]int{"sidecar": s.cmd.Process.Pid, "envoy": envoyOf(t, s)} {
		limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(limits)) {
			if rest, ok := strings.CutPrefix(line, "Max core file size"); ok && strings.Join(strings.Fields(rest), " ") != "0 0 bytes" {
				t.Errorf("%s: %s", name, line)
			}
		}
		filter, err := os.ReadFile(fmt.Sprintf("/proc/%d/coredump_filter", pid))
		if err != nil || strings.Trim(string(filter), "0\n") != "" {
			t.Errorf("%s: coredump_filter %q, %v", name, filter, err)
		}
	}
}

// The private key is in no file, and the runtime directory goes with the
// sidecar.
func TestFilesLeftBehind(t *testing.T) {
	runtime, err := os.MkdirTemp("/tmp", "run-") // short, as sockets want it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(runtime) })
	dir := t.TempDir()
	s, err := launchWith(append(environment(), "XDG_RUNTIME_DIR="+runtime), dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files(t, dir), files(t, runtime)...) {
		if data, err := os.ReadFile(file); err == nil && strings.Contains(string(data), "PRIVATE") {
			t.Errorf("%s holds a private key", file)
		}
	}
	if n := len(files(t, runtime)); n != 4 {
		t.Errorf("%d files in the runtime directory, want 3 sockets and a bootstrap", n)
	}
	s.stop(t)
	if left := files(t, runtime); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if left := files(t, dir); len(left) != 2 {
		t.Errorf("data directory: %q, want a lock and a certificate", left)
	}
}

func files(t testing.TB, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Two sidecars in one data directory, or on one port, would harm each other.
func TestSecondSidecarIsRefused(t *testing.T) {
	dir := t.TempDir()
	s, err := launch(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop(t)
	for name, args := range map[string][]string{
		"data directory": {"--data-dir", dir, "--listen", "127.0.0.1:0"},
		"address":        {"--data-dir", t.TempDir(), "--listen", strings.TrimPrefix(s.url, "https://")},
		"metrics":        {"--data-dir", t.TempDir(), "--listen", "127.0.0.1:0", "--metrics-addr", strings.TrimPrefix(s.url, "https://")},
	} {
		cmd := exec.Command(binary, append([]string{"run", "--tee", "simulated"}, args...)...)
		cmd.Env = environment()
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 2 || strings.Count(string(out), "\n") != 1 {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}

// envoyOf returns the process id of a sidecar's Envoy.
func envoyOf(t testing.TB, s *sidecar) int {
	t.Helper()
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", s.cmd.Process.Pid, s.cmd.Process.Pid))
	pids := strings.Fields(string(children))
	if err != nil || len(pids) == 0 {
		// The child belongs to the thread that started it.
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
		for _, f := range tasks {
			data, _ := os.ReadFile(f)
			pids = append(pids, strings.Fields(string(data))...)
		}
	}
	if len(pids) != 1 {
		t.Fatalf("children %q", pids)
	}
	pid, err := strconv.Atoi(pids[0])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// gone waits until a process has ended.
func gone(t testing.TB, pid int) {
	t.Helper()
	waitFor(t, "envoy to end", func() bool {
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || strings.Contains(string(state), ") Z ")
	})
}

func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
