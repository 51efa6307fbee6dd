package dataplane

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// model is an upstream that each test programs for itself: a request is
// answered by the handler that is registered for its bearer token or API key.
type model struct {
	srv      *httptest.Server
	accepted atomic.Int64 // connections
	mu       sync.Mutex
	handlers map[string]*reception
}

// reception is what the model got under a token, and what it answers.
type reception struct {
	handler http.HandlerFunc
	mu      sync.Mutex
	bodies  []string
	uris    []string
	headers []http.Header
}

func newModel() *model {
	m := &model{handlers: make(map[string]*reception)}
	m.srv = httptest.NewUnstartedServer(m)
	m.srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			m.accepted.Add(1)
		}
	}
	return m
}

func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := r.Header.Get("Authorization")
	if key := r.Header.Get("X-Api-Key"); key != "" {
		token = "Bearer " + key
	}
	m.mu.Lock()
	got := m.handlers[token]
	m.mu.Unlock()
	if got == nil {
		http.Error(w, "unknown token", http.StatusTeapot)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	got.mu.Lock()
	got.bodies = append(got.bodies, string(body))
	got.uris = append(got.uris, r.RequestURI)
	got.headers = append(got.headers, r.Header.Clone())
	got.mu.Unlock()
	got.handler(w, r)
}

var tokens atomic.Int64

// answer registers a handler and returns the token for it.
func (m *model) answer(h http.HandlerFunc) (token string, got *reception) {
	token = fmt.Sprintf("Bearer test-%d", tokens.Add(1))
	got = &reception{handler: h}
	m.mu.Lock()
	m.handlers[token] = got
	m.mu.Unlock()
	return token, got
}

// requests is what has arrived.
func (r *reception) requests() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.bodies...)
}

// targets are what was asked for.
func (r *reception) targets() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.uris...)
}

// whole answers with JSON at once.
func whole(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}
}

// pieces answers with a stream of events that is written in the given pieces.
func pieces(parts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		w.WriteHeader(http.StatusOK)
		flusher := http.NewResponseController(w)
		for _, p := range parts {
			if _, err := io.WriteString(w, p); err != nil {
				return
			}
			if err := flusher.Flush(); err != nil || r.Context().Err() != nil {
				return
			}
		}
	}
}

// bytewise answers with a stream that is written byte by byte.
func bytewise(body string) http.HandlerFunc { return pieces(strings.Split(body, "")...) }

// paused answers with a stream that goes on once the client has seen its
// beginning.
func paused(first string, seen <-chan struct{}, rest ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		pieces(first)(w, r)
		select {
		case <-seen:
		case <-r.Context().Done():
			return
		}
		for _, p := range rest {
			if _, err := io.WriteString(w, p); err != nil {
				return
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				return
			}
		}
	}
}

// completion is a whole answer with the given contents as its choices.
func completion(contents ...string) string {
	var choices []string
	for i, c := range contents {
		choices = append(choices, fmt.Sprintf(`{"index":%d,"message":{"role":"assistant","content":%q},"finish_reason":"stop"}`, i, c))
	}
	return `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[` + strings.Join(choices, ",") + `]}`
}

// chunk is an event of a stream. delta and finish are JSON.
func chunk(index int, delta, finish string) string {
	return fmt.Sprintf(`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":%d,"delta":%s,"finish_reason":%s}]}`+"\n\n", index, delta, finish)
}

// said is an event with words.
func said(index int, words string) string {
	return chunk(index, fmt.Sprintf(`{"content":%q}`, words), "null")
}

const (
	done = "data: [DONE]\n\n"
	role = `{"role":"assistant"}`
)

// streamed is a whole stream of one choice with the given words.
func streamed(words ...string) string {
	var b strings.Builder
	b.WriteString(chunk(0, role, "null"))
	for _, w := range words {
		b.WriteString(said(0, w))
	}
	b.WriteString(chunk(0, "{}", `"stop"`) + done)
	return b.String()
}

// The sidecar and the model that tests share which need no settings of their
// own. Its policy has a category that redacts, one that blocks and one that
// warns, all of harmless words.
var shared struct {
	once    sync.Once
	model   *model
	sidecar *sidecar
	dir     string
	err     error
}

func common(t testing.TB) (*sidecar, *model) {
	t.Helper()
	shared.once.Do(func() {
		shared.model = newModel()
		shared.model.srv.Start()
		shared.dir, shared.err = sharedDir()
		if shared.err == nil {
			shared.sidecar, shared.err = launch(shared.dir,
				"--policy", "testdata/policy.toml", "--upstream", shared.model.srv.URL+"/v1", "--max-body", "65536")
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.sidecar, shared.model
}
