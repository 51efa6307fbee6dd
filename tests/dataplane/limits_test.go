package dataplane

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	overloadv3 "github.com/envoyproxy/go-control-plane/envoy/config/overload/v3"
	heapv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/fixed_heap/v3"
)

// wantLater checks a refusal that says when to come again.
func wantLater(t *testing.T, g got, status int, kind, code string) {
	t.Helper()
	r := parseRefusal(t, g.body)
	if g.status != status || r.Error.Type != kind || r.Error.Code != code || g.header.Get("Retry-After") != "1" || g.header.Get("Content-Type") != "application/json" || g.requestID == "" {
		t.Errorf("%d %v %s, want %d %s %s", g.status, g.header, g.body, status, kind, code)
	}
}

// With as many requests as may run at once the next is told to come again, with
// a verdict, while health answers; and one that ends makes room.
func TestTooManyRequests(t *testing.T) {
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	s := start(t, "--policy", "testdata/policy.toml", "--upstream", m.srv.URL, "--max-requests", "3")
	seen := make(chan struct{})
	token, received := m.answer(paused(said(0, "one. "), seen, done))
	var running []*reader
	for range 3 {
		r := open(t, s.client2, request(t, http.MethodPost, s.url+chatPath, token, prompt("hi", streaming)))
		r.until(t, said(0, "one. "))
		running = append(running, r)
	}
	for name, c := range map[string]*http.Client{"h1": s.client, "h2": s.client2} {
		g := ask(t, c, s.url, token, prompt("hi "+strings.Repeat("there ", 10_000)))
		wantLater(t, g, http.StatusTooManyRequests, "rate_limit_error", "too_many_requests")
		if v := s.verdict(t, g.requestID); v.Action != "BLOCK" || v.RiskCategory != "UNAVAILABLE" || v.Stage != "PRE_INFERENCE_GATE" {
			t.Errorf("%s: verdict %+v", name, v)
		}
		if g = send(t, c, request(t, http.MethodGet, s.url+"/v1/health", "", "")); g.status != http.StatusOK {
			t.Errorf("%s: health %d", name, g.status)
		}
	}
	close(seen)
	for _, r := range running {
		if g := r.rest(); g.body != done || g.err != nil {
			t.Errorf("%q, %v", g.body, g.err)
		}
	}
	if n := len(received.requests()); n != 3 {
		t.Errorf("%d requests reached the upstream", n)
	}
	waitFor(t, "room", func() bool {
		return ask(t, s.client, s.url, token, prompt("hi", streaming)).status == http.StatusOK
	})
}

// A body for which there is no room is refused, and others go on.
func TestTooMuchToInspect(t *testing.T) {
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	socket := filepath.Join(runtimeDir, "toomuch")
	s := start(t, "--policy", "testdata/policy.toml", "--upstream", m.srv.URL, "--metrics-addr", "unix://"+socket,
		"--max-body", "262144", "--max-held", "262144", "--max-event", "262144", "--max-inspected", "1048576")
	token, _ := m.answer(whole(completion("fine")))
	beginning := `{"messages":[{"role":"user","content":"` + strings.Repeat("word ", 40_000)
	var writers []*io.PipeWriter
	results := make(chan *http.Response, 3)
	for range 3 {
		body, w := io.Pipe()
		req, err := http.NewRequest(http.MethodPost, s.url+chatPath, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", token)
		go func() {
			resp, err := s.client2.Do(req)
			if err != nil {
				t.Error(err)
			}
			results <- resp
		}()
		if _, err := io.WriteString(w, beginning); err != nil {
			t.Fatal(err)
		}
		writers = append(writers, w)
	}
	// Before they have arrived it could be one of them that is refused.
	waitFor(t, "all three to be held", func() bool { return scrape(t, socket)["inspected_bytes"] >= float64(3*len(beginning)) })
	g := ask(t, s.client, s.url, token, prompt(strings.Repeat("word ", 40_000)))
	wantLater(t, g, http.StatusServiceUnavailable, "overloaded_error", "overloaded")
	s.verdict(t, g.requestID)
	for _, w := range writers {
		_, _ = io.WriteString(w, `"}]}`)
		_ = w.Close()
		resp := <-results
		if resp == nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%+v", resp)
		}
		_ = resp.Body.Close()
	}
	if g = ask(t, s.client, s.url, token, prompt(strings.Repeat("word ", 40_000))); g.status != http.StatusOK {
		t.Errorf("afterwards: %d %s", g.status, g.body)
	}
}

// A stream of comments alone has its time, too.
func TestResponseTimeout(t *testing.T) {
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	s := start(t, "--policy", "testdata/policy.toml", "--upstream", m.srv.URL, "--response-timeout", "1s")
	token, _ := m.answer(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, ": still here\n\n"); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	})
	g := ask(t, s.client, s.url, token, prompt("hi", streaming))
	if r := parseRefusal(t, g.body); g.status != http.StatusGatewayTimeout || r.Error.Code != "upstream_timeout" {
		t.Errorf("%d %s", g.status, g.body)
	}
}

// Envoy closes connections over the limit, and serves again when one ends.
func TestTooManyConnections(t *testing.T) {
	s := start(t, "--max-connections", "4")
	address := strings.TrimPrefix(s.url, "https://")
	dial := func() (net.Conn, error) {
		d := &net.Dialer{Timeout: 5 * time.Second}
		return tls.DialWithDialer(d, "tcp", address, &tls.Config{RootCAs: s.roots, NextProtos: []string{"http/1.1"}})
	}
	var open []net.Conn
	var err error
	for range 10 { // one of its own may still be closing
		var c net.Conn
		if c, err = dial(); err != nil {
			break
		}
		t.Cleanup(func() { _ = c.Close() })
		open = append(open, c)
	}
	if err == nil || len(open) > 4 {
		t.Errorf("%d connections, %v", len(open), err)
	}
	_ = open[0].Close()
	waitFor(t, "room", func() bool {
		c, err := dial()
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// Headers over the limits are refused by Envoy, before they are inspected.
func TestHeaderLimits(t *testing.T) {
	s := start(t, "--max-headers", "20", "--max-header-kb", "8")
	for name, c := range map[string]struct {
		n, size int
		ok      bool
	}{
		"few": {8, 10, true}, "many": {30, 10, false}, "large": {1, 10 << 10, false},
	} {
		for proto, client := range map[string]*http.Client{"h1": s.client, "h2": s.client2} {
			req := request(t, http.MethodGet, s.url+"/v1/health", "", "")
			for i := range c.n {
				req.Header.Set(fmt.Sprintf("x-extra-%d", i), strings.Repeat("x", c.size))
			}
			resp, err := client.Do(req)
			status := 0
			if err == nil {
				status = resp.StatusCode
				_ = resp.Body.Close()
			}
			if ok := status == http.StatusOK; ok != c.ok {
				t.Errorf("%s %s: %d, %v", name, proto, status, err)
			}
			t.Logf("%s %s: %d, %v", name, proto, status, errors.Unwrap(err))
		}
	}
}

// What a client gets from an Envoy whose heap is full: an error object, and no
// answer from behind it.
func TestEnvoyOutOfMemory(t *testing.T) {
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	upstream, err := url.Parse(m.srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	token, received := m.answer(whole(completion("fine")))
	b := startBare(t, upstream, noopProcessor, func(boot *bootstrapv3.Bootstrap) {
		o := boot.GetOverloadManager()
		// Less than an idle one takes; else it would refuse connections, too.
		if err := o.GetResourceMonitors()[0].GetTypedConfig().MarshalFrom(&heapv3.FixedHeapConfig{MaxHeapSizeBytes: 5 << 20}); err != nil {
			t.Fatal(err)
		}
		o.Actions = slices.DeleteFunc(o.Actions, func(a *overloadv3.OverloadAction) bool {
			return a.GetName() == "envoy.overload_actions.reject_incoming_connections"
		})
	})
	for name, protos := range map[string][]string{"h1": {"http/1.1"}, "h2": {"h2"}} {
		c := &http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: b.roots, NextProtos: protos}, ForceAttemptHTTP2: name == "h2",
		}}
		var g got
		waitFor(t, "the heap to be looked at", func() bool {
			g = ask(t, c, b.url, token, prompt("hi"))
			return g.status != http.StatusOK
		})
		before := len(received.requests())
		g = ask(t, c, b.url, token, prompt("hi"))
		wantLater(t, g, http.StatusServiceUnavailable, "overloaded_error", "overloaded")
		if after := len(received.requests()); after != before {
			t.Errorf("%s: a refused request reached the upstream", name)
		}
		c.CloseIdleConnections()
	}
}
