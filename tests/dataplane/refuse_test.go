package dataplane

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What cannot be read is refused with an error object before the upstream hears
// of it, and each refused request to an inspected path has a verdict.
func TestBadRequests(t *testing.T) {
	s, m := common(t)
	hi := prompt("hi")
	for name, tc := range map[string]struct {
		method, path, body string
		header             map[string]string
		status             int
		code               string
		judged             bool
	}{
		"not json":            {body: "hello", status: 400, code: "invalid_json", judged: true},
		"empty":               {body: "", status: 400, code: "invalid_json", judged: true},
		"cut off":             {body: hi[:len(hi)-1], status: 400, code: "invalid_json", judged: true},
		"two values":          {body: hi + hi, status: 400, code: "invalid_json", judged: true},
		"duplicate key":       {body: `{"messages":[],"messages":[]}`, status: 400, code: "duplicate_key", judged: true},
		"escaped duplicate":   {body: `{"a":{"b":1,"\u0062":2}}`, status: 400, code: "duplicate_key", judged: true},
		"invalid utf-8":       {body: "{\"a\":\"\xff\"}", status: 400, code: "invalid_utf8", judged: true},
		"lone surrogate":      {body: `{"a":"\ud800"}`, status: 400, judged: true},
		"deep":                {body: strings.Repeat("[", 100) + strings.Repeat("]", 100), status: 400, code: "too_deep", judged: true},
		"large":               {body: prompt(strings.Repeat("x", 70000)), status: 413, code: "request_too_large", judged: true},
		"image":               {body: `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x"}}]}]}`, status: 400, code: "unsupported_content", judged: true},
		"content type":        {body: hi, header: map[string]string{"Content-Type": "text/plain"}, status: 415, code: "unsupported_content_type", judged: true},
		"no content type":     {body: hi, header: map[string]string{"Content-Type": ""}, status: 415, code: "unsupported_content_type", judged: true},
		"charset":             {body: hi, header: map[string]string{"Content-Type": "application/json; charset=utf-16"}, status: 415, code: "unsupported_content_type", judged: true},
		"form":                {body: hi, header: map[string]string{"Content-Type": "multipart/form-data; boundary=x"}, status: 415, code: "unsupported_content_type", judged: true},
		"compressed":          {body: hi, header: map[string]string{"Content-Encoding": "gzip"}, status: 415, code: "unsupported_content_encoding", judged: true},
		"compressed twice":    {body: hi, header: map[string]string{"Content-Encoding": "identity, br"}, status: 415, code: "unsupported_content_encoding", judged: true},
		"get":                 {method: http.MethodGet, status: 404, code: "not_found"},
		"put":                 {method: http.MethodPut, body: hi, status: 404, code: "not_found"},
		"query":               {path: chatPath + "?x=1", body: hi, status: 404, code: "not_found"},
		"empty query":         {path: chatPath + "?", body: hi, status: 404, code: "not_found"},
		"slash":               {path: chatPath + "/", body: hi, status: 404, code: "not_found"},
		"double slash":        {path: "/" + chatPath, body: hi, status: 404, code: "not_found"},
		"case":                {path: "/v1/Chat/completions", body: hi, status: 404, code: "not_found"},
		"escaped":             {path: "/v1%2fchat/completions", body: hi, status: 404, code: "not_found"},
		"dots":                {path: "/v1/x/../chat/completions", body: hi, status: 404, code: "not_found"},
		"root":                {path: "/", method: http.MethodGet, status: 404, code: "not_found"},
		"not built yet":       {path: "/v1/attestation", method: http.MethodGet, status: 404, code: "not_found"},
		"no such endpoint":    {path: "/v1/images/generations", body: hi, status: 404, code: "not_found"},
		"health in two forms": {path: "/v1//health", method: http.MethodGet, status: 404, code: "not_found"},
		"post health":         {path: "/v1/health", body: hi, status: 404, code: "not_found"},
	} {
		for proto, client := range map[string]*http.Client{"h1": s.client, "h2": s.client2} {
			t.Run(name+" "+proto, func(t *testing.T) {
				t.Parallel()
				token, received := m.answer(whole(completion("hi")))
				method, path := tc.method, tc.path
				if method == "" {
					method = http.MethodPost
				}
				if path == "" {
					path = chatPath
				}
				req := request(t, method, s.url+"/", token, tc.body)
				if strings.HasPrefix(path, "//") {
					req.URL.Path = path
				} else {
					req.URL.Opaque = path // as it is written
				}
				for k, v := range tc.header {
					req.Header.Del(k)
					if v != "" {
						req.Header.Set(k, v)
					}
				}
				g := send(t, client, req)
				r := parseRefusal(t, g.body)
				if g.status != tc.status || tc.code != "" && r.Error.Code != tc.code || r.Error.Type != "invalid_request_error" || r.Error.Message == "" {
					t.Errorf("%d %s, want %d %s", g.status, g.body, tc.status, tc.code)
				}
				if n := len(received.requests()); n != 0 {
					t.Errorf("%d requests reached the upstream", n)
				}
				if g.requestID == "" {
					t.Error("no request id")
				}
				if tc.judged {
					if v := s.verdict(t, g.requestID); v.Action != "BLOCK" || v.RiskCategory != "UNAVAILABLE" || v.Stage != "PRE_INFERENCE_GATE" {
						t.Errorf("verdict %+v", v)
					}
				} else if v := s.verdicts(g.requestID); len(v) != 0 {
					t.Errorf("verdicts of what is not inspected: %+v", v)
				}
			})
		}
	}
}

// A client that sends a large body and reads only then gets its answer, too.
func TestLargeRefusedBodies(t *testing.T) {
	s, m := common(t)
	token, received := m.answer(whole(completion("hi")))
	large := prompt(strings.Repeat("x", 200<<10)) // over the limit, and over Envoy's windows
	for proto, client := range map[string]*http.Client{"h1": s.client, "h2": s.client2} {
		for name, tc := range map[string]struct {
			encoding string
			length   int64
			status   int
		}{
			"declared":   {"", int64(len(large)), http.StatusRequestEntityTooLarge},
			"undeclared": {"", -1, http.StatusRequestEntityTooLarge},
			"compressed": {"gzip", -1, http.StatusUnsupportedMediaType},
		} {
			read := 0
			req := request(t, http.MethodPost, s.url+chatPath, token, "")
			req.ContentLength = tc.length
			if tc.encoding != "" {
				req.Header.Set("Content-Encoding", tc.encoding)
			}
			req.Body = io.NopCloser(io.TeeReader(strings.NewReader(large), counter{&read}))
			if g := send(t, client, req); g.status != tc.status || read != len(large) {
				t.Errorf("%s %s: %d %s after %d of %d bytes", name, proto, g.status, g.body, read, len(large))
			}
		}
	}
	if n := len(received.requests()); n != 0 {
		t.Errorf("%d requests reached the upstream", n)
	}
}

// counter counts what is written to it.
type counter struct{ n *int }

func (c counter) Write(p []byte) (int, error) {
	*c.n += len(p)
	return len(p), nil
}

// Shapes that no well-behaved client sends. Each ends, and none reaches the
// upstream.
func TestRawRequests(t *testing.T) {
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	s := start(t, "--policy", "testdata/policy.toml", "--upstream", m.srv.URL)
	head := "POST " + chatPath + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	for name, text := range map[string]string{
		"websocket":    "GET " + chatPath + " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n",
		"upgrade post": head + "Connection: Upgrade\r\nUpgrade: tunnel\r\nContent-Length: 2\r\n\r\n{}",
		"connect":      "CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: x\r\n\r\n",
		"absolute":     "POST https://x" + chatPath + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
		"two lengths":  head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
		"both framing": head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"garbage":      "\x00\x01\x02\r\n\r\n",
		"bare lf":      "POST " + chatPath + " HTTP/1.1\nHost: x\n\n",
		"http 1.0":     "POST " + chatPath + " HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}",
		"large header": head + "X-A: " + strings.Repeat("a", 70<<10) + "\r\n\r\n",
		"grpc":         "POST /a.B/C HTTP/1.1\r\nHost: x\r\nContent-Type: application/grpc\r\nContent-Length: 2\r\n\r\n{}",
		"grpc to chat": "POST " + chatPath + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/grpc\r\nContent-Length: 2\r\n\r\n{}",
		"trace":        "TRACE " + chatPath + " HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			status, header := raw(t, s, text)
			refused := status == 0 || status >= 400 && status < 500
			if strings.HasPrefix(name, "grpc") {
				// Envoy words an error for a gRPC client as one.
				refused = status == http.StatusOK && header.Get("grpc-status") != "0" && header.Get("grpc-status") != ""
			}
			if strings.HasPrefix(name, "websocket") || strings.HasPrefix(name, "upgrade") {
				refused = status == http.StatusBadRequest && header.Get("content-type") == "application/json"
			}
			if !refused {
				t.Errorf("answer %d %v", status, header)
			}
		})
	}
	if n := m.accepted.Load(); n != 0 {
		t.Errorf("%d connections reached the upstream", n)
	}
}

// raw writes bytes on a TLS connection and returns the answer's status and
// header, 0 and nil if the connection just ended.
func raw(t *testing.T, s *sidecar, bytes string) (int, http.Header) {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), &tls.Config{RootCAs: s.roots, ServerName: "localhost", NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
	// Envoy may close before all of it is written.
	_, _ = io.WriteString(conn, bytes)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Error("no answer and no end")
	}
	if err != nil {
		return 0, nil
	}
	_ = resp.Body.Close()
	return resp.StatusCode, resp.Header
}

// Plain HTTP does not reach anything on the TLS port.
func TestPlainHTTPIsRefused(t *testing.T) {
	s, _ := common(t)
	resp, err := http.Get(strings.Replace(s.url, "https", "http", 1) + "/v1/health")
	if err == nil {
		_ = resp.Body.Close()
		t.Errorf("answered with %d", resp.StatusCode)
	}
}

// What the upstream sends and cannot be read is an error of the upstream.
func TestBadResponses(t *testing.T) {
	s, m := common(t)
	typed := func(contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		status  int
		code    string
	}{
		"html":          {typed("text/html", "<p>hello</p>"), 502, "upstream_failed"},
		"plain":         {typed("text/plain", "error"), 502, "upstream_failed"},
		"not json":      {typed("application/json", "oops"), 502, "upstream_failed"},
		"empty":         {typed("application/json", ""), 502, "upstream_failed"},
		"cut off":       {typed("application/json", `{"choices":[`), 502, "upstream_failed"},
		"duplicate key": {typed("application/json", `{"a":1,"a":2}`), 503, "not_checked"},
		"too large":     {typed("application/json", completion(strings.Repeat("x", 70000))), 503, "not_checked"},
		"bad event":     {typed("text/event-stream", "data: {\n\n"), 502, "upstream_failed"},
		"audio":         {typed("application/json", `{"choices":[{"index":0,"message":{"audio":{"data":"AAAA"}}}]}`), 503, "not_checked"},
		"compressed": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			typed("application/json", "x")(w, nil)
		}, 502, "upstream_failed"},
		"no content": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, 502, "upstream_failed"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.invalid/", http.StatusTemporaryRedirect)
		}, 502, "upstream_failed"},
		"hung up": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		}, 502, "upstream_failed"},
		"garbage": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				fmt.Fprint(conn, "purple giraffe\r\n\r\n")
				_ = conn.Close()
			}
		}, 502, "upstream_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, _ := m.answer(tc.handler)
			g := ask(t, s.client, s.url, token, prompt("hi"))
			r := parseRefusal(t, g.body)
			if g.status != tc.status || r.Error.Code != tc.code || g.header.Get("Content-Type") != "application/json" {
				t.Errorf("%d %v %s", g.status, g.header, g.body)
			}
			if (r.Safety != nil) != (tc.code == "not_checked") {
				t.Errorf("safety: %s", g.body)
			}
			if v := s.verdict(t, g.requestID); r.Safety != nil && v.VerdictID != r.Safety.VerdictID {
				t.Errorf("verdict %+v", v)
			}
		})
	}
}
