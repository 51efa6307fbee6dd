package lint_test

import (
	"bytes"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/difflabai/confidential-safety/envoy"
	"github.com/difflabai/confidential-safety/envoy/lint"
)

// TestWhatWeWritePasses lints what settings of all kinds are made into.
func TestWhatWeWritePasses(t *testing.T) {
	ca, err := os.ReadFile("../testdata/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	spki := bytes.Repeat([]byte{7}, 32)
	usual := envoy.Settings{
		Listen:        "127.0.0.1:8443",
		Upstream:      &url.URL{Scheme: "http", Host: "127.0.0.1:8000"},
		Routes:        []envoy.Route{{Method: "POST", Path: "/v1/chat/completions"}},
		PolicyVersion: "1.0.0",
		ExtProcSocket: "/run/safety/x.extproc",
		SDSSocket:     "/run/safety/x.sds",
		AdminSocket:   "/run/safety/x.admin",
		Connections:   1024, ConnectionStreams: 100, HeaderKB: 60, Headers: 100,
		Requests: 1024, Memory: 1 << 30,
		StreamIdle: time.Hour, StreamMax: 62 * time.Minute, DrainTimeout: 30 * time.Second,
	}
	for name, change := range map[string]func(s *envoy.Settings){
		"usual":      func(*envoy.Settings) {},
		"everywhere": func(s *envoy.Settings) { s.Listen = "0.0.0.0:0" },
		"IPv6":       func(s *envoy.Settings) { s.Listen, s.Upstream.Host = "[::]:443", "[::1]:8000" },
		"localhost":  func(s *envoy.Settings) { s.Upstream.Host = "LOCALHOST" },
		"a base":     func(s *envoy.Settings) { s.Upstream.Path = "/a%20b/v1" },
		"percent signs": func(s *envoy.Settings) {
			s.PolicyVersion = `100% "sure" %REQ(AUTHORIZATION)% <&> \ % %%`
		},
		"key": func(s *envoy.Settings) {
			s.Upstream, s.UpstreamSPKI = &url.URL{Scheme: "https", Host: "[2001:DB8:0::1]"}, spki
		},
		"CA": func(s *envoy.Settings) { s.Upstream, s.UpstreamCA = &url.URL{Scheme: "https", Host: "10.0.0.1:1"}, ca },
		"CA by name": func(s *envoy.Settings) {
			s.Upstream, s.UpstreamCA = &url.URL{Scheme: "https", Host: "model.example"}, ca
		},
		"both": func(s *envoy.Settings) {
			s.Upstream, s.UpstreamCA, s.UpstreamSPKI = &url.URL{Scheme: "https", Host: "127.0.0.1"}, ca, spki
		},
		"one connection": func(s *envoy.Settings) { s.Connections, s.StreamIdle = 1, time.Nanosecond },
	} {
		s := usual
		upstream := *usual.Upstream
		s.Upstream = &upstream
		change(&s)
		boot, err := envoy.Bootstrap(s)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text, err := envoy.Marshal(boot)
		if err != nil {
			t.Fatal(err)
		}
		r, err := lint.Lint("envoy.json", text, []string{"/v1/chat/completions"})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, f := range r.Findings {
			t.Errorf("%s: %s", name, f)
		}
	}
}
