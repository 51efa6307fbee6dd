package dataplane

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

const chatPath = "/v1/chat/completions"

func sharedDir() (string, error) { return os.MkdirTemp("", "dataplane-data-") }

// stopShared ends the shared sidecar after all tests.
func stopShared() {
	if shared.sidecar != nil {
		_ = shared.sidecar.cmd.Process.Kill()
		<-shared.sidecar.exited
		_ = os.Remove(shared.sidecar.stderr)
	}
	if shared.model != nil {
		shared.model.srv.CloseClientConnections()
		shared.model.srv.Close()
	}
	_ = os.RemoveAll(shared.dir)
}

// got is a response, read to its end.
type got struct {
	status    int
	header    http.Header
	body      string
	err       error // of reading the body
	requestID string
}

// ask sends a chat request under a token.
func ask(t testing.TB, c *http.Client, base, token, body string) got {
	t.Helper()
	return send(t, c, request(t, http.MethodPost, base+chatPath, token, body))
}

func request(t testing.TB, method, url, token, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	return req
}

func send(t testing.TB, c *http.Client, req *http.Request) got {
	t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return got{resp.StatusCode, resp.Header, string(body), err, resp.Header.Get("x-request-id")}
}

// reader is a response that is read as it comes.
type reader struct {
	resp *http.Response
	rest func() got
}

func open(t testing.TB, c *http.Client, req *http.Request) *reader {
	t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return &reader{resp, func() got {
		body, err := io.ReadAll(resp.Body)
		return got{resp.StatusCode, resp.Header, string(body), err, resp.Header.Get("x-request-id")}
	}}
}

// until reads the given bytes and no more.
func (r *reader) until(t testing.TB, want string) {
	t.Helper()
	buf := make([]byte, len(want))
	if n, err := io.ReadFull(r.resp.Body, buf); err != nil || string(buf) != want {
		t.Fatalf("status %d, %v: read %q, want %q", r.resp.StatusCode, err, buf[:n], want)
	}
}

// prompt is a request with one message.
func prompt(words string, members ...string) string {
	content, _ := json.Marshal(words)
	return `{"model":"m",` + strings.Join(append(members, ""), ",") + `"messages":[{"role":"user","content":` + string(content) + `}]}`
}

const streaming = `"stream":true`

// refusal is the body of an answer of the sidecar's own.
type refusal struct {
	Error struct {
		Message, Type, Code string
		Param               *string
	}
	Safety *struct {
		VerdictID     string `json:"verdict_id"`
		Stage         string `json:"stage"`
		RiskCategory  string `json:"risk_category"`
		Action        string `json:"action"`
		PolicyVersion string `json:"policy_version"`
		Timestamp     string `json:"timestamp"`
	}
}

func parseRefusal(t testing.TB, body string) (r refusal) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return r
}

// wantBlocked checks the form of a block and that its verdict is the recorded
// one.
func wantBlocked(t testing.TB, s *sidecar, g got, stage, category string) {
	t.Helper()
	if g.status != http.StatusUnavailableForLegalReasons || g.header.Get("Content-Type") != "application/json" {
		t.Fatalf("status %d, %v: %s", g.status, g.header, g.body)
	}
	wantRefusal(t, s, g, stage, category)
}

func wantRefusal(t testing.TB, s *sidecar, g got, stage, category string) {
	t.Helper()
	r := parseRefusal(t, g.body)
	if r.Error.Type != "safety_policy" || r.Error.Code != "content_blocked" ||
		r.Error.Message != "This request was blocked by the safety policy." || r.Safety == nil {
		t.Fatalf("%s", g.body)
	}
	v := s.verdict(t, g.requestID)
	if v.VerdictID != r.Safety.VerdictID || v.Stage != stage || v.RiskCategory != category || v.Action != "BLOCK" ||
		r.Safety.Stage != stage || r.Safety.RiskCategory != category || r.Safety.Action != "BLOCK" {
		t.Errorf("verdict %+v, told %+v, want %s %s", v, *r.Safety, stage, category)
	}
	if at, err := time.Parse(time.RFC3339, r.Safety.Timestamp); err != nil || !strings.HasSuffix(r.Safety.Timestamp, "Z") || time.Since(at) > time.Minute {
		t.Errorf("timestamp %q", r.Safety.Timestamp)
	}
}
