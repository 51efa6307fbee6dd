package envoy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// asSidecar is the variable that makes this test binary a sidecar, with an Envoy
// at the path that it holds.
const asSidecar = "CONFIDENTIAL_SAFETY_TEST_SIDECAR"

func TestMain(m *testing.M) {
	path := os.Getenv(asSidecar)
	if path == "" {
		os.Exit(m.Run())
	}
	p, err := Start(Binary{Path: path}, "x", LogText, io.Discard)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "pid %d\n", p.PID())
	<-p.Done()
	os.Exit(0)
}

// startSidecar runs this test binary as a process that starts the Envoy at a
// path, and returns it and the Envoy's process id.
func startSidecar(t *testing.T, path string) (sidecar *os.Process, envoy int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asSidecar+"="+path)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for said := bufio.NewScanner(stderr); said.Scan(); {
		if n, err := fmt.Sscanf(said.Text(), "pid %d", &envoy); n == 1 && err == nil {
			return cmd.Process, envoy
		}
	}
	t.Fatal("the sidecar does not say what it started")
	return nil, 0
}

// alive reports whether a process runs, which one that has ended and is not
// waited for does not.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, after, ok := bytes.Cut(stat, []byte(") "))
	return ok && len(after) > 0 && after[0] != 'Z' && after[0] != 'X'
}
