package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/difflabai/confidential-safety/attest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"confidential-safety": main})
}

// TestScript runs the scripts of testdata/script, each a topic of the binary's
// behaviour. Beside the usual commands they have
//
//	stops CODE ARG...   the program ends with the code and one line of error
//	refuse CODE ARG...  and it printed nothing before
//	health SOCKET       wait until /v1/health answers there
//	terminate           send SIGTERM to what runs in the background
//
// the condition tdx, and $POLICY, the directory of a policy.
func TestScript(t *testing.T) {
	// Sockets need a short path.
	root, err := os.MkdirTemp("/tmp", "cs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	policyDir, err := filepath.Abs("testdata/policy")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		WorkdirRoot:         root,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("POLICY", policyDir)
			// The race detector would wait a second at each program's end.
			e.Setenv("GORACE", "atexit_sleep_ms=0")
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "tdx" {
				return attest.TDX.Available(os.DirFS("/")) == nil, nil
			}
			return false, errors.New("unknown condition")
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"stops": func(ts *testscript.TestScript, neg bool, args []string) { stops(ts, neg, args) },
			"refuse": func(ts *testscript.TestScript, neg bool, args []string) {
				stops(ts, neg, args)
				if out := ts.ReadFile("stdout"); out != "" {
					ts.Fatalf("standard output: %q", out)
				}
			},
			"health":    awaitHealth,
			"terminate": terminate,
		},
	})
}

func stops(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: stops|refuse CODE ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var exit *exec.ExitError
	if err := ts.Exec("confidential-safety", args[1:]...); !errors.As(err, &exit) || exit.ExitCode() != want {
		ts.Fatalf("%v, want exit code %d", err, want)
	}
	if problem := notOneLine(ts.ReadFile("stderr")); problem != "" {
		ts.Fatalf("%s", problem)
	}
}

func terminate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: terminate")
	}
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(syscall.SIGTERM))
	}
}

// awaitHealth is the script command of the same name.
func awaitHealth(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: health SOCKET")
	}
	socket := ts.MkAbs(args[0])
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		resp, err := client.Get("http://localhost/v1/health")
		if err != nil {
			if time.Now().After(end) {
				ts.Fatalf("no answer: %v", err)
			}
			continue
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		ts.Check(err)
		if resp.StatusCode != http.StatusOK {
			ts.Fatalf("status %d: %s", resp.StatusCode, body)
		}
		ts.Logf("%s", body)
		return
	}
}

// A signal ends a command that serves nothing at once, though its input goes on.
func TestSignalEndsClassify(t *testing.T) {
	cmd := exec.Command("confidential-safety", "policy", "classify", "--stage", "input")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	if _, err := io.WriteString(in, `{"id":1,"text":"hello"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || err.Error() != "signal: interrupt" {
		t.Errorf("%v", err)
	}
}
