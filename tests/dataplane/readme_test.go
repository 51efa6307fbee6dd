package dataplane

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every block of the README that is marked as a test prints what it says, where
// … stands for any text within a line. The sidecar is that of `make run`.
func TestREADME(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, "--policy", filepath.Join(root, "examples/redaction/policy.toml"))
	here := strings.NewReplacer(
		"https://127.0.0.1:8443", s.url, ".data/tls/ca.pem", s.caFile, "bin/confidential-safety", binary,
	)
	blocks := strings.Split(string(text), "<!-- test -->\n```console\n")[1:]
	if len(blocks) < 5 {
		t.Fatalf("%d blocks", len(blocks))
	}
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "\n```")
		for _, step := range strings.Split("\n"+block, "\n$ ")[1:] {
			command, want, _ := strings.Cut(step, "\n")
			cmd := exec.Command("sh", "-c", here.Replace(command))
			cmd.Dir, cmd.Env = root, environment()
			out, err := cmd.Output()
			if err != nil {
				t.Errorf("%s: %v", command, err)
			}
			form := strings.ReplaceAll(regexp.QuoteMeta(want), "…", "[^\n]+")
			if got := strings.TrimSpace(string(out)); !regexp.MustCompile("^" + form + "$").MatchString(got) {
				t.Errorf("%s\ngot  %s\nwant %s", command, got, want)
			}
		}
	}
}
