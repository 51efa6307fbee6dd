package envoy

import (
	"net/url"
	"strings"
	"testing"
)

func TestCheckUpstream(t *testing.T) {
	const pin, ca = "pin", "ca"
	for _, tc := range []struct {
		url, with string
		want      string // in the error; empty where it is accepted
	}{
		{"http://127.0.0.1:8000", "", ""},
		{"http://127.0.0.1", "", ""},
		{"http://127.0.0.2:8000/v1", "", ""},
		{"http://127.255.255.254", "", ""},
		{"http://[::1]:8000", "", ""},
		{"http://[0:0:0:0:0:0:0:1]", "", ""},
		{"http://[::ffff:127.0.0.1]:80", "", ""},
		{"http://localhost:8000/", "", ""},
		{"http://LOCALHOST", "", ""},
		{"HTTP://localhost", "", ""}, // net/url makes it lower case
		{"https://model.example/v1", ca, ""},
		{"https://model.example:65535", pin, ""},
		{"https://10.0.0.1", ca + pin, ""},
		{"https://127.0.0.1", pin, ""},

		{"http://10.0.0.1:8000", "", "use https with --upstream-ca or --upstream-spki"},
		{"http://model.example", "", "use https with --upstream-ca or --upstream-spki"},
		{"http://model.example", ca, "use https with --upstream-ca or --upstream-spki"},
		{"http://0.0.0.0:8000", "", "use https"},
		{"http://[::]:8000", "", "use https"},
		{"http://[::2]", "", "use https"},
		{"http://128.0.0.1", "", "use https"},
		{"http://2130706433", "", "use https"}, // 127.0.0.1 for some
		{"http://127.1", "", "use https"},
		{"http://0177.0.0.1", "", "use https"},
		{"http://localhost.", "", "use https"},
		{"http://[::1%25lo]", "", "no zone"},
		{"https://[fe80::1%25eth0]", pin, "no zone"},
		{"https://" + strings.Repeat("x.", 127), pin, "at most 253 bytes"},
		{"http://localhost.example", "", "use https"},
		{"http://127.0.0.1.example", "", "use https"},
		{"http://127.0.0.1:8000", ca, "need an https URL"},
		{"http://127.0.0.1:8000", pin, "need an https URL"},
		{"https://model.example", "", "needs --upstream-ca or --upstream-spki"},
		{"https://127.0.0.1", "", "needs --upstream-ca or --upstream-spki"},
		{"http://user@127.0.0.1", "", "no user, query or fragment"},
		{"http://127.0.0.1@model.example", "", "no user, query or fragment"},
		{"https://user:password@model.example", ca, "no user, query or fragment"},
		{"http://127.0.0.1?key=1", "", "no user, query or fragment"},
		{"http://127.0.0.1/?", "", "no user, query or fragment"},
		{"http://127.0.0.1/#x", "", "no user, query or fragment"},
		{"http://127.0.0.1:0", "", "port must be from 1 to 65535"},
		{"http://127.0.0.1:65536", "", "port must be from 1 to 65535"},
		{"http://127.0.0.1:99999999999999999999", "", "port must be from 1 to 65535"},
		{"http://127.0.0.1:", "", "port must be from 1 to 65535"},
		{"https://model.example:0", ca, "port must be from 1 to 65535"},
		{"", "", "want a URL such as http://127.0.0.1:8000"},
		{"127.0.0.1", "", "want a URL such as"},
		{"localhost:8000", "", "want a URL such as"},
		{"http:127.0.0.1", "", "want a URL such as"},
		{"http:///v1", "", "want a URL such as"},
		{"http://:8000", "", "want a URL such as"},
		{"//127.0.0.1", "", "must start with http:// or https://"},
		{"ftp://127.0.0.1", "", "must start with http:// or https://"},
		{"unix://127.0.0.1/x", "", "must start with http:// or https://"},
		{"h2c://127.0.0.1", ca, "must start with http:// or https://"},
	} {
		err := CheckUpstream(mustURL(t, tc.url), strings.Contains(tc.with, ca), strings.Contains(tc.with, pin))
		if tc.want != "" {
			wantError(t, tc.url, err, "upstream: ", tc.want)
			if err != nil && strings.Contains(err.Error(), "password") {
				t.Errorf("%s: the error has the password", tc.url)
			}
		} else if err != nil {
			t.Errorf("%s: %v", tc.url, err)
		}
	}
	wantError(t, "no URL", CheckUpstream(nil, false, false), "want a URL such as")
}

func TestSettings(t *testing.T) {
	long := "/" + strings.Repeat("x", maxSocketPath)
	for _, tc := range []struct {
		name   string
		change func(*Settings)
		want   string // in the error; empty where it is accepted
	}{
		{"as they are", func(*Settings) {}, ""},
		{"any port", func(s *Settings) { s.Listen = "127.0.0.1:0" }, ""},
		{"every address", func(s *Settings) { s.Listen = ":8443" }, ""},
		{"IPv6", func(s *Settings) { s.Listen = "[::1]:65535" }, ""},
		{"path of the greatest length", func(s *Settings) { s.AdminSocket = long[:maxSocketPath] }, ""},

		{"no listen address", func(s *Settings) { s.Listen = "" }, "want host:port, such as 127.0.0.1:8443"},
		{"no port", func(s *Settings) { s.Listen = "127.0.0.1" }, "want host:port"},
		{"empty port", func(s *Settings) { s.Listen = "127.0.0.1:" }, "port must be from 0 to 65535"},
		{"great port", func(s *Settings) { s.Listen = "127.0.0.1:65536" }, "port must be from 0 to 65535"},
		{"negative port", func(s *Settings) { s.Listen = "127.0.0.1:-1" }, "port must be from 0 to 65535"},
		{"signed port", func(s *Settings) { s.Listen = "127.0.0.1:+1" }, "port must be from 0 to 65535"},
		{"service name", func(s *Settings) { s.Listen = "127.0.0.1:https" }, "port must be from 0 to 65535"},
		{"host name", func(s *Settings) { s.Listen = "localhost:8443" }, "host must be an IP address"},
		{"bare IPv6", func(s *Settings) { s.Listen = "::1:8443" }, "want host:port"},
		{"line break", func(s *Settings) { s.Listen = "a\nb" }, "want host:port"},
		{"no routes", func(s *Settings) { s.Routes = nil }, "no routes"},
		{"relative ext_proc", func(s *Settings) { s.ExtProcSocket = "x.sock" }, `ext_proc socket "x.sock": must be an absolute path of at most 100 bytes`},
		{"relative sds", func(s *Settings) { s.SDSSocket = "./x" }, "sds socket"},
		{"abstract", func(s *Settings) { s.SDSSocket = "@abstract" }, "sds socket"},
		{"no admin", func(s *Settings) { s.AdminSocket = "" }, "admin socket"},
		{"long ext_proc", func(s *Settings) { s.ExtProcSocket = long }, "at most 100 bytes"},
		{"long sds", func(s *Settings) { s.SDSSocket = long }, "at most 100 bytes"},
		{"long admin", func(s *Settings) { s.AdminSocket = long }, "at most 100 bytes"},
		{"all long", func(s *Settings) { s.ExtProcSocket, s.SDSSocket, s.AdminSocket = long, long, long }, "ext_proc socket"},
		{"line break in a path", func(s *Settings) { s.AdminSocket = "a\nb" }, `"a\nb"`},
		{"no connections", func(s *Settings) { s.Connections = 0 }, "MaxActiveDownstreamConnections"},
		{"no stream limit", func(s *Settings) { s.ConnectionStreams = 0 }, "no limit may be 0"},
		{"no header size", func(s *Settings) { s.HeaderKB = 0 }, "no limit may be 0"},
		{"great header size", func(s *Settings) { s.HeaderKB = 8193 }, "MaxRequestHeadersKb"},
		{"no headers", func(s *Settings) { s.Headers = 0 }, "no limit may be 0"},
		{"no memory", func(s *Settings) { s.Memory = 0 }, "no limit may be 0"},
		{"no requests", func(s *Settings) { s.Requests = 0 }, "from 1 to 2^30"},
		{"too many requests", func(s *Settings) { s.Requests = 1<<30 + 1 }, "from 1 to 2^30"},
		{"no whole timeout", func(s *Settings) { s.StreamMax = 0 }, "above 0"},
		{"no idle timeout", func(s *Settings) { s.StreamIdle = 0 }, "above 0"},
		{"no drain timeout", func(s *Settings) { s.DrainTimeout = 0 }, "above 0"},
		{"negative timeout", func(s *Settings) { s.DrainTimeout = -1 }, "above 0"},
		{"no upstream", func(s *Settings) { s.Upstream = nil }, "want a URL such as"},
		{"upstream elsewhere", func(s *Settings) { s.Upstream = &url.URL{Scheme: "http", Host: "10.0.0.1"} }, "use https"},
		{"TLS without trust", func(s *Settings) { s.Upstream = &url.URL{Scheme: "https", Host: "model.example"} }, "needs --upstream-ca"},
		{"short SPKI", func(s *Settings) {
			s.Upstream, s.UpstreamSPKI = &url.URL{Scheme: "https", Host: "model.example"}, []byte("short")
		}, "VerifyCertificateSpki"},
	} {
		s := settings()
		tc.change(&s)
		for range 10 { // the same error each time
			b, err := Bootstrap(s)
			if tc.want != "" {
				wantError(t, tc.name, err, tc.want)
				if b != nil {
					t.Errorf("%s: a bootstrap all the same", tc.name)
				}
			} else if err != nil {
				t.Errorf("%s: %v", tc.name, err)
			}
		}
	}
}

func TestListenEverywhere(t *testing.T) {
	s := settings()
	s.Listen = ":0"
	at := takeApart(t, s).listener.GetAddress().GetSocketAddress()
	if at.GetAddress() != "0.0.0.0" || at.GetPortValue() != 0 {
		t.Errorf("listens at %v", at)
	}
}
