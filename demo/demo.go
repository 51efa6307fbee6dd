// Package demo is a small OpenAI-compatible model for trying the sidecar: it
// answers chat completions, whole or streamed, in the words that the prompt
// asks it to repeat, so that a trial shows exactly what a filter does to known
// words.
//
// Use it behind the sidecar, on loopback. Never serve it to anybody as a
// model, never judge a policy by its answers alone, and never reach it around
// the sidecar: it repeats whatever it is told, checks no credentials and
// bounds nothing but the size of a request. It logs nothing.
package demo

import (
	"crypto/rand"
	"net/http"
	"time"
)

// modelName is the one model that is listed, and the name in the answers to
// requests that name none. Any other name is answered too, and echoed.
const modelName = "demo"

// maxBody bounds a request.
const maxBody = 16 << 20

// Config holds what a test or a trial may want to fix. The zero value serves.
type Config struct {
	// Now dates the answers; nil means time.Now.
	Now func() time.Time
	// NewID makes the part of an id that follows its prefix, a new one for
	// each call; nil means random. It is called concurrently.
	NewID func() string
	// ChunkDelay is the time between two events of a stream: zero sends them
	// as fast as they are read.
	ChunkDelay time.Duration
}

// Handler serves POST /v1/chat/completions, GET /v1/models and GET /health.
// The same request is always answered in the same words.
func Handler(cfg Config) http.Handler {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.NewID == nil {
		cfg.NewID = rand.Text
	}
	return &server{cfg}
}

type server struct{ cfg Config }

// ServeHTTP routes by hand: http.ServeMux would answer an unknown path or
// method in plain text and redirect paths that are not clean.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := http.MethodGet
	var serve http.HandlerFunc
	switch r.URL.Path {
	case "/v1/chat/completions":
		method, serve = http.MethodPost, s.chat
	case "/v1/models":
		serve = s.models
	case "/health":
		serve = health
	default:
		writeError(w, notFound)
		return
	}
	if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
		w.Header().Set("Allow", method)
		writeError(w, wrongMethod)
		return
	}
	serve(w, r)
}

func (s *server) chat(w http.ResponseWriter, r *http.Request) {
	req, fault := readRequest(w, r)
	if fault != nil {
		writeError(w, fault)
		return
	}
	h := head{
		ID:      "chatcmpl-" + s.cfg.NewID(),
		Created: s.cfg.Now().Unix(),
		Model:   req.Model,
	}
	a := reply(req)
	if req.Stream {
		// An error means that the client is gone: nobody is left to tell.
		_ = s.stream(r.Context(), w, h, req, a)
		return
	}
	writeJSON(w, http.StatusOK, s.whole(h, req, a))
}

func (s *server) models(w http.ResponseWriter, _ *http.Request) {
	type model struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Created int64  `json:"created"`
		OwnedBy string `json:"owned_by"`
	}
	writeJSON(w, http.StatusOK, struct {
		Object string  `json:"object"`
		Data   []model `json:"data"`
	}{"list", []model{{modelName, "model", 0, "confidential-safety"}}})
}

func health(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, struct {
		Status string `json:"status"`
	}{"ok"})
}
