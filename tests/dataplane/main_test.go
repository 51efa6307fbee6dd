// Package dataplane tests the built binary with a real Envoy, a programmable
// upstream and real clients: what passes, what does not, and what is said.
//
// Everything listens on loopback, and every process is one that a test started.
package dataplane

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the path of the program under test.
var binary string

func TestMain(m *testing.M) {
	becomeNoop()
	becomeMatrixChild()
	dir, err := os.MkdirTemp("", "dataplane-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "confidential-safety")
	// The path of a socket must be short.
	if runtimeDir, err = os.MkdirTemp("/tmp", "run-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	args := []string{"build", "-buildvcs=false", "-o", binary}
	if raceEnabled {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "../../cmd/confidential-safety")...)
	build.Stderr = os.Stderr
	code := 1
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building the binary:", err)
	} else {
		code = m.Run()
		stopShared()
	}
	_ = os.RemoveAll(dir)
	_ = os.RemoveAll(runtimeDir)
	os.Exit(code)
}
