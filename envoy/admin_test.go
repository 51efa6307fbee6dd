package envoy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// adminTalk is what a fake admin answers to a request, by method and URL. Any
// other request fails the test.
type adminTalk map[string]struct {
	status int
	body   string
}

func (a adminTalk) serve(t *testing.T) *Admin {
	t.Helper()
	return serveAdmin(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reply, ok := a[r.Method+" "+r.URL.String()]
		if !ok {
			t.Errorf("asked for %s %s", r.Method, r.URL)
		}
		w.WriteHeader(reply.status)
		_, _ = w.Write([]byte(reply.body))
	}))
}

func serveAdmin(t *testing.T, h http.Handler) *Admin {
	t.Helper()
	path := filepath.Join(t.TempDir(), "admin")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Second}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return NewAdmin(path)
}

const (
	askReady     = "GET /ready"
	askListeners = "GET /listeners?format=json"
	askDrain     = "POST /healthcheck/fail"
	askActive    = "GET /stats?filter=^http.inspected.downstream_rq_active$"
)

func TestAdminReady(t *testing.T) {
	if err := (adminTalk{askReady: {200, "LIVE\n"}}).serve(t).Ready(t.Context()); err != nil {
		t.Error(err)
	}
	err := adminTalk{askReady: {503, "PRE_INITIALIZING\n"}}.serve(t).Ready(t.Context())
	wantError(t, "not ready", err, "envoy admin: status 503")
}

func TestAdminDrain(t *testing.T) {
	if err := (adminTalk{askDrain: {200, "OK\n"}}).serve(t).Drain(t.Context()); err != nil {
		t.Error(err)
	}
	wantError(t, "refused", adminTalk{askDrain: {405, "no"}}.serve(t).Drain(t.Context()), "status 405")
}

// listening is what Envoy says of a listener.
func listening(name, address, port string) string {
	return `{"name":"` + name + `","local_address":{"socket_address":{"address":"` + address + `","port_value":` + port + `}}}`
}

func TestAdminAddress(t *testing.T) {
	list := func(l ...string) string { return `{"listener_statuses":[` + strings.Join(l, ",") + `]}` }
	for _, tc := range []struct {
		name, body, want, wrong string
	}{
		{"IPv4", list(listening(listenerName, "127.0.0.1", "8443")), "127.0.0.1:8443", ""},
		{"IPv6", list(listening(listenerName, "::1", "40000")), "[::1]:40000", ""},
		{"everywhere", list(listening(listenerName, "0.0.0.0", "65535")), "0.0.0.0:65535", ""},
		{"after another", list(listening("other", "127.0.0.1", "1"), listening(listenerName, "127.0.0.1", "2")), "127.0.0.1:2", ""},
		{"port not chosen", list(listening(listenerName, "127.0.0.1", "0")), "", "not there yet"},
		{"another alone", list(listening("other", "127.0.0.1", "1")), "", "not there yet"},
		{"a pipe", list(`{"name":"` + listenerName + `","local_address":{"pipe":{"path":"/x"}}}`), "", "not there yet"},
		{"none", list(), "", "not there yet"},
		{"nothing", `{}`, "", "not there yet"},
		{"empty", ``, "", "listeners: "},
		{"text", `confidential_safety::127.0.0.1:8443`, "", "listeners: "},
		{"cut off", list(listening(listenerName, "127.0.0.1", "8443"))[:60], "", "listeners: "},
		{"great port", list(listening(listenerName, "127.0.0.1", "65536")), "", "listeners: "},
		{"too long", `{"x":"` + strings.Repeat("x", maxAdminReply) + `"}`, "", "too long"},
		{"too long by white space", list(listening(listenerName, "127.0.0.1", "8443")) + strings.Repeat(" ", maxAdminReply), "", "too long"},
	} {
		got, err := adminTalk{askListeners: {200, tc.body}}.serve(t).Address(t.Context())
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
		if tc.wrong != "" {
			wantError(t, tc.name, err, "envoy admin: ", tc.wrong)
		} else if err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	_, err := adminTalk{askListeners: {500, list(listening(listenerName, "127.0.0.1", "8443"))}}.serve(t).Address(t.Context())
	wantError(t, "error status", err, "status 500")
}

func TestAdminActive(t *testing.T) {
	const name = "http.inspected.downstream_rq_active"
	for _, tc := range []struct {
		body  string
		want  int
		wrong string
	}{
		{name + ": 0\n", 0, ""},
		{name + ": 17\n", 17, ""},
		{"", 0, "no count"},
		{name + "\n", 0, "no count"},
		{name + ": \n", 0, "no count"},
		{name + ": many\n", 0, "active requests: "},
		{name + ": -1\n", 0, "active requests: "},
		{name + ": 1\n" + name + ": 2\n", 0, "active requests: "},
		{"other: 5\n", 0, "no count"},
		{name + ": 5" + strings.Repeat("\n", maxAdminReply), 0, "too long"},
	} {
		got, err := adminTalk{askActive: {200, tc.body}}.serve(t).Active(t.Context())
		what := tc.body[:min(len(tc.body), 60)]
		if got != tc.want {
			t.Errorf("%q: %d", what, got)
		}
		if tc.wrong != "" {
			wantError(t, what, err, "envoy admin: ", tc.wrong)
		} else if err != nil {
			t.Errorf("%q: %v", what, err)
		}
	}
	_, err := adminTalk{askActive: {404, name + ": 0\n"}}.serve(t).Active(t.Context())
	wantError(t, "error status", err, "status 404")
}

func TestAdminThatIsNotThere(t *testing.T) {
	a := NewAdmin(filepath.Join(t.TempDir(), "nothing"))
	wantError(t, "no socket", a.Ready(t.Context()), "no such file")
}

func TestAdminThatDoesNotAnswer(t *testing.T) {
	end := make(chan struct{})
	a := serveAdmin(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-end }))
	defer close(end)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := a.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if a.client.Timeout <= 0 || a.client.Timeout > 10*time.Second {
		t.Errorf("without a deadline it waits %v", a.client.Timeout)
	}
}

// TestAdminReplyThatBreaksOff promises more than it sends.
func TestAdminReplyThatBreaksOff(t *testing.T) {
	a := serveAdmin(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("LIVE"))
	}))
	wantError(t, "cut off", a.Ready(t.Context()), "unexpected EOF")
}
