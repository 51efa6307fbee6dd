package dataplane

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/envoy"
)

// TestDocumentedEnvoy runs serve and, apart from it, an Envoy with the
// configuration that docs/envoy.md shows, and sends through it what must pass and
// what must not.
func TestDocumentedEnvoy(t *testing.T) {
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	dir, err := os.MkdirTemp("/tmp", "own-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	port := vacantPort(t)
	file, digest := documented(t, dir, map[string]string{
		"0.0.0.0, port_value: 8443": "127.0.0.1, port_value: " + port,
		"port_value: 8000":          "port_value: " + portOf(t, m.srv.Listener.Addr()),
		"/run/confidential-safety/": dir + "/",
	})
	ready := serve(t, dir, "--policy", "testdata/policy.toml", "--envoy-config", file)
	if ready.EnvoyConfigSHA256 != digest {
		t.Errorf("digest %q, want %q", ready.EnvoyConfigSHA256, digest)
	}
	runEnvoy(t, file)
	pem, err := os.ReadFile(ready.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	t.Cleanup(client.CloseIdleConnections)
	base := "https://127.0.0.1:" + port
	waitFor(t, "envoy", func() bool {
		resp, err := client.Get(base + "/v1/health")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	})

	token, received := m.answer(whole(completion("the purple", "giraffe")))
	for what, tc := range map[string]struct {
		method, path, prompt string
		status               int
	}{
		"allowed":         {http.MethodPost, chatPath, "hello", http.StatusOK},
		"refused":         {http.MethodPost, chatPath, "the purple giraffe", http.StatusUnavailableForLegalReasons},
		"another path":    {http.MethodPost, "/v1/files", "hello", http.StatusNotFound},
		"another method":  {http.MethodPut, chatPath, "hello", http.StatusNotFound},
		"with a query":    {http.MethodPost, chatPath + "?x=1", "hello", http.StatusNotFound},
		"path parameters": {http.MethodPost, chatPath + ";x", "hello", http.StatusNotFound},
	} {
		g := send(t, client, request(t, tc.method, base+tc.path, token, prompt(tc.prompt)))
		if g.status != tc.status || tc.status != http.StatusOK && strings.Contains(g.body, "giraffe") {
			t.Errorf("%s: %d %s", what, g.status, g.body)
		}
	}
	if n := len(received.requests()); n != 1 {
		t.Errorf("the upstream got %d requests", n)
	}
	token, _ = m.answer(whole(completion("the purple giraffe")))
	if g := ask(t, client, base, token, prompt("hello")); g.status != http.StatusUnavailableForLegalReasons || strings.Contains(g.body, "giraffe") {
		t.Errorf("answer: %d %s", g.status, g.body)
	}
}

// documented writes the configuration of docs/envoy.md with other addresses and
// returns its file and digest.
func documented(t *testing.T, dir string, other map[string]string) (file, digest string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/envoy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "<!-- lint -->\n```yaml\n")
	block, _, _ = strings.Cut(block, "\n```\n")
	for from, to := range other {
		if !strings.Contains(block, from) {
			t.Fatalf("docs/envoy.md shows no %q", from)
		}
		block = strings.ReplaceAll(block, from, to)
	}
	file = filepath.Join(dir, "envoy.yaml")
	if err := os.WriteFile(file, []byte(block), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(block))
	return file, hex.EncodeToString(sum[:])
}

type serveReady struct {
	CAFile            string `json:"ca_file"`
	EnvoyConfigSHA256 string `json:"envoy_config_sha256"`
}

// serve runs `confidential-safety serve` with its sockets in dir.
func serve(t *testing.T, dir string, args ...string) (ready serveReady) {
	t.Helper()
	cmd := exec.Command(binary, append([]string{
		"serve", "--tee", "simulated", "--data-dir", filepath.Join(dir, "data"), "--extproc-addr", "unix://" + dir + "/extproc.sock",
		"--sds-addr", "unix://" + dir + "/sds.sock", "--http-addr", "unix://" + dir + "/http.sock",
	}, args...)...)
	cmd.Env, cmd.Stderr = environment(), io.Discard
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("serve ended before it was ready: %v", err)
	}
	if err := json.Unmarshal(line, &ready); err != nil {
		t.Fatal(err)
	}
	return ready
}

func runEnvoy(t *testing.T, file string) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	bin, err := envoy.Finder{Cache: filepath.Join(cache, "confidential-safety"), Log: slog.New(slog.DiscardHandler)}.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	child, err := envoy.Start(bin, file, envoy.LogText, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // it has nothing to finish
		child.Stop(ctx)
	})
}

// vacantPort is one that nothing listened at a moment ago.
func vacantPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it was only opened for its port
	return portOf(t, l.Addr())
}

func portOf(t *testing.T, a net.Addr) string {
	t.Helper()
	_, port, err := net.SplitHostPort(a.String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
