// Package demo is a small OpenAI-compatible model for trying the sidecar: it
// answers in the words that the prompt asks it to repeat, whole or streamed,
// in the form of each API that the sidecar inspects, so that a trial shows
// exactly what a filter does to known words.
//
// Use it behind the sidecar, on loopback. Never serve it to anybody as a
// model, never judge a policy by its answers alone, and never reach it around
// the sidecar: it repeats whatever it is told, checks no credentials and
// bounds nothing but the size of a request. It logs nothing.
package demo

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"time"
)

// modelName is the one model that is listed, and the name in the answers to
// requests that name none. Any other name is answered too, and echoed.
const modelName = "demo"

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

// Handler serves the APIs. The same request is always answered in the same
// words.
func Handler(cfg Config) http.Handler {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.NewID == nil {
		cfg.NewID = rand.Text
	}
	s := &server{cfg: cfg}
	s.endpoints = []endpoint{
		{http.MethodPost, "/v1/chat/completions", s.chat, openAIError},
		{http.MethodPost, "/v1/completions", s.completions, openAIError},
		{http.MethodPost, "/v1/embeddings", embeddings, openAIError},
		{http.MethodPost, "/v1/responses", s.responses, openAIError},
		{http.MethodPost, "/v1/messages", s.messages, anthropicError},
		{http.MethodGet, "/v1/models", models, openAIError},
		{http.MethodGet, "/health", health, openAIError},
	}
	return s
}

type server struct {
	cfg       Config
	endpoints []endpoint
}

// endpoint is one path: it answers, or says why not, which refuse puts into
// the form of the API.
type endpoint struct {
	method, path string
	serve        func(http.ResponseWriter, *http.Request) *fault
	refuse       func(*fault) any
}

// ServeHTTP routes by hand: http.ServeMux would answer an unknown path or
// method in plain text and redirect paths that are not clean. A query is
// ignored.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, e := range s.endpoints {
		if e.path != r.URL.Path {
			continue
		}
		var f *fault
		if r.Method == e.method || e.method == http.MethodGet && r.Method == http.MethodHead {
			f = e.serve(w, r)
		} else {
			w.Header().Set("Allow", e.method)
			f = wrongMethod
		}
		if f != nil {
			writeJSON(w, f.status, e.refuse(f))
		}
		return
	}
	writeJSON(w, notFound.status, openAIError(notFound))
}

// head is what all chunks of one answer, and the answer as a whole, have in
// common.
type head struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Model   string `json:"model"`
}

func (s *server) head(prefix, object, model string) head {
	return head{prefix + s.cfg.NewID(), object, s.cfg.Now().Unix(), modelOf(model)}
}

// modelOf is the name of the model in an answer.
func modelOf(model string) string { return cmp.Or(model, modelName) }

func models(w http.ResponseWriter, _ *http.Request) *fault {
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
	return nil
}

func health(w http.ResponseWriter, _ *http.Request) *fault {
	writeJSON(w, http.StatusOK, struct {
		Status string `json:"status"`
	}{"ok"})
	return nil
}
