package main

import (
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/envoy"
)

// documented is the configuration that docs/envoy.md shows, in a file.
func documented(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/envoy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "<!-- lint -->\n```yaml\n")
	block, _, ok := strings.Cut(block, "\n```\n")
	if !ok {
		t.Fatal("docs/envoy.md shows no configuration")
	}
	file := filepath.Join(t.TempDir(), "envoy.yaml")
	if err := os.WriteFile(file, []byte(block+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestDocumentedConfigurationPasses(t *testing.T) {
	r := call(t, "", "envoy", "lint", documented(t))
	if r.code != 0 || r.stderr != "" || !strings.HasSuffix(r.stdout, " passes: 1 listener, 3 clusters\n") {
		t.Errorf("%+v", r)
	}
}

// TestEnvoyTakesTheDocumentedConfiguration has the real Envoy judge it.
func TestEnvoyTakesTheDocumentedConfiguration(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	finder := envoy.Finder{Cache: filepath.Join(cache, "confidential-safety"), Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	binary, err := finder.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), binary.Path, "--mode", "validate", "--log-level", "warning", "--config-path", documented(t)).CombinedOutput()
	if err != nil || strings.Contains(strings.ToLower(string(out)), "deprecated") {
		t.Errorf("%v\n%s", err, out)
	}
}
