package envoy

import (
	"crypto/sha256"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
)

// settings are the ones of the golden files, with an upstream on this machine.
func settings() Settings {
	return Settings{
		Listen:        "127.0.0.1:8443",
		Upstream:      &url.URL{Scheme: "http", Host: "127.0.0.1:8000"},
		Routes:        []Route{{"POST", "/v1/chat/completions", false}, {"GET", "/v1/models", false}, {"POST", "/v1/messages?beta=true", true}},
		PolicyVersion: "1.0.0",
		ExtProcSocket: "/run/safety/x.extproc",
		SDSSocket:     "/run/safety/x.sds",
		AdminSocket:   "/run/safety/x.admin",
		Connections:   1024, ConnectionStreams: 100, HeaderKB: 60, Headers: 100,
		Requests: 1024, Memory: 1 << 30,
		StreamIdle: time.Hour, StreamMax: 62 * time.Minute, DrainTimeout: 30 * time.Second,
	}
}

// tlsSettings are those with an upstream elsewhere, known by CA and key.
func tlsSettings(t *testing.T) Settings {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join("testdata", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	spki := sha256.Sum256([]byte("a key"))
	s := settings()
	s.Upstream = &url.URL{Scheme: "https", Host: "model.example:8443", Path: "/api/openai/v1"}
	s.UpstreamCA, s.UpstreamSPKI = ca, spki[:]
	return s
}

// both are the settings of each kind of upstream.
func both(t *testing.T) map[string]Settings {
	t.Helper()
	return map[string]Settings{"bootstrap": settings(), "bootstrap_tls": tlsSettings(t)}
}

func mustBootstrap(t *testing.T, s Settings) *bootstrapv3.Bootstrap {
	t.Helper()
	b, err := Bootstrap(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wantError checks an error that a user reads: one line with the words in it.
func wantError(t *testing.T, what string, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	if strings.ContainsAny(err.Error(), "\n\r") {
		t.Errorf("%s: more than one line: %q", what, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: %q does not say %q", what, err, w)
		}
	}
}

// script writes an executable shell script with the given name.
func script(t *testing.T, dir, name, body string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// says is the body of a script that tells the version as Envoy does.
func says(version string) string {
	return "echo; echo 'envoy  version: 0123456789abcdef0123456789abcdef01234567/" + version + "/Clean/RELEASE/BoringSSL'; echo"
}
