package dataplane

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// What Envoy says by itself where no processor answers has the form of what the
// processor says, and nothing reaches the upstream.
func TestDeadProcessor(t *testing.T) {
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	upstream, err := url.Parse(m.srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	dead := startBare(t, upstream, deadProcessor)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: dead.roots}}}
	t.Cleanup(client.CloseIdleConnections)
	const theirs = `ab","purple":"giraffe`
	for _, path := range []string{chatPath, "/v1/messages", "/v1/health", "/v1/other", chatPath + "#x"} {
		req := request(t, http.MethodPost, dead.url+"/", "", prompt("hi"))
		req.URL.Opaque = path // as it is written; Envoy gives up early on a fragment
		req.Header.Set("X-Request-Id", theirs)
		g := send(t, client, req)
		if strings.Contains(g.body, "giraffe") || strings.Contains(g.requestID, "giraffe") {
			t.Errorf("%s: the client's id is back in %q, %s", path, g.requestID, g.body)
		}
		if path == "/v1/messages" {
			const front, back = `{"type":"error",`, `,"request_id":null}`
			inside, ok := strings.CutPrefix(g.body, front)
			if !ok || !strings.HasSuffix(inside, back) {
				t.Errorf("not in Anthropic's form: %s", g.body)
			}
			g.body = "{" + strings.TrimSuffix(inside, back) + "}"
		}
		r := parseRefusal(t, g.body)
		if g.status != http.StatusServiceUnavailable || g.header.Get("Content-Type") != "application/json" ||
			r.Error.Message != "This request could not be checked and was not processed." ||
			r.Error.Type != "safety_unavailable" || r.Error.Code != "not_checked" || r.Error.Param != nil {
			t.Errorf("%s: %d %s", path, g.status, g.body)
			continue
		}
		s := r.Safety
		if s == nil || len(s.VerdictID) < 20 || s.Stage != "PRE_INFERENCE_GATE" || s.RiskCategory != "UNAVAILABLE" || s.Action != "BLOCK" || s.PolicyVersion != "7.1.0-test" {
			t.Errorf("%s: %s", path, g.body)
			continue
		}
		if _, err := time.Parse(time.RFC3339, s.Timestamp); err != nil || !strings.HasSuffix(s.Timestamp, "Z") {
			t.Errorf("timestamp %q", s.Timestamp)
		}
	}
	if n := m.accepted.Load(); n != 0 {
		t.Errorf("%d connections reached the upstream", n)
	}
}
