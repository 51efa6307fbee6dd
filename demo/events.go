package demo

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"time"
)

// events writes server-sent events, each one flushed, a delay between two. The
// first error ends it: it means that the client is gone, and nobody is left to
// tell.
type events struct {
	ctx     context.Context // of the one request that is answered
	w       http.ResponseWriter
	flusher *http.ResponseController
	delay   time.Duration
	begun   bool
	err     error
}

// events begins a stream.
func (s *server) events(ctx context.Context, w http.ResponseWriter) *events {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	return &events{ctx: ctx, w: w, flusher: http.NewResponseController(w), delay: s.cfg.ChunkDelay}
}

// data sends an event without a name.
func (e *events) data(v any) { e.send("", v) }

// named sends an event with its name.
func (e *events) named(name string, v any) { e.send("event: "+name+"\n", v) }

// done sends the end mark of OpenAI's older APIs. A stream that was cut short
// has none.
func (e *events) done() { e.write([]byte("data: [DONE]\n\n")) }

// each sends something for every piece, as long as the client is there.
func (e *events) each(pieces iter.Seq[string], send func(piece string)) {
	for p := range pieces {
		if e.err != nil {
			return
		}
		send(p)
	}
}

func (e *events) send(lines string, v any) {
	if e.err != nil {
		return
	}
	line, err := encode(v)
	if err != nil {
		e.err = err
		return
	}
	event := append([]byte(lines+"data: "), line...)
	e.write(append(event, '\n'))
}

func (e *events) write(event []byte) {
	if e.err != nil {
		return
	}
	if e.begun && e.delay > 0 {
		select {
		case <-time.After(e.delay):
		case <-e.ctx.Done():
		}
	}
	e.begun = true
	// Also without a delay: a client that left is not written to.
	if e.err = e.ctx.Err(); e.err != nil {
		return
	}
	if _, e.err = e.w.Write(event); e.err != nil {
		return
	}
	if err := e.flusher.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		e.err = err
	}
}
