package demo

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// chunk is one event of a streamed answer.
type chunk struct {
	head
	Choices []chunkChoice `json:"choices"`
	// Usage is absent, or, where the client asked for it, a *usage: nil, and
	// thus null, in all chunks but the last.
	Usage any `json:"usage,omitempty"`
}

type chunkChoice struct {
	Index    int       `json:"index"`
	Delta    delta     `json:"delta"`
	Logprobs *logprobs `json:"logprobs"`
	Finish   *string   `json:"finish_reason"`
}

type delta struct {
	Role      string      `json:"role,omitempty"`
	Content   *string     `json:"content,omitempty"`
	ToolCalls []callDelta `json:"tool_calls,omitempty"`
}

type callDelta struct {
	Index    int      `json:"index"`
	ID       string   `json:"id,omitempty"`
	Type     string   `json:"type,omitempty"`
	Function function `json:"function"`
}

// sender sends one chunk for each choice, built anew for each.
type sender func(build func() chunkChoice) error

// stream writes an answer as events: roles, the words of all choices in turn,
// the reasons to finish, and, where asked for, the usage. A stream that was cut
// short has no [DONE].
func (s *server) stream(ctx context.Context, w http.ResponseWriter, h head, r *request, a answer) error {
	h.Object = "chat.completion.chunk"
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	e := &events{w: w, flusher: http.NewResponseController(w), delay: s.cfg.ChunkDelay}
	blank := chunk{head: h, Choices: []chunkChoice{}}
	if r.StreamOptions.IncludeUsage {
		blank.Usage = (*usage)(nil)
	}

	var all sender = func(build func() chunkChoice) error {
		for i := range r.choices {
			c := blank
			one := build()
			one.Index = i
			c.Choices = []chunkChoice{one}
			if err := e.send(ctx, c); err != nil {
				return err
			}
		}
		return nil
	}
	body := s.streamText
	if a.call != nil {
		body = s.streamCalls
	}
	if err := body(r, a, all); err != nil {
		return err
	}
	if err := all(func() chunkChoice { return chunkChoice{Finish: &a.finish} }); err != nil {
		return err
	}
	if r.StreamOptions.IncludeUsage {
		blank.Usage = a.usage(r.choices)
		if err := e.send(ctx, blank); err != nil {
			return err
		}
	}
	return e.write(ctx, []byte("[DONE]\n"))
}

// streamText sends the role and the words.
func (s *server) streamText(r *request, a answer, all sender) error {
	none := ""
	err := all(func() chunkChoice { return chunkChoice{Delta: delta{Role: "assistant", Content: &none}} })
	if err != nil {
		return err
	}
	for word := range words(a.text) {
		c := chunkChoice{Delta: delta{Content: &word}}
		if r.Logprobs {
			c.Logprobs = new(logprobs)
			c.Logprobs.add(word)
		}
		if err := all(func() chunkChoice { return c }); err != nil {
			return err
		}
	}
	return nil
}

// streamCalls sends the role, the name of the tool and its arguments bit by bit.
func (s *server) streamCalls(_ *request, a answer, all sender) error {
	part := func(d callDelta) chunkChoice { return chunkChoice{Delta: delta{ToolCalls: []callDelta{d}}} }
	if err := all(func() chunkChoice { return chunkChoice{Delta: delta{Role: "assistant"}} }); err != nil {
		return err
	}
	err := all(func() chunkChoice { // an id of its own for each choice
		return part(callDelta{ID: s.callID(), Type: "function", Function: function{Name: a.call.name}})
	})
	if err != nil {
		return err
	}
	for p := range pieces(a.call.arguments) {
		if err := all(func() chunkChoice { return part(callDelta{Function: function{Arguments: p}}) }); err != nil {
			return err
		}
	}
	return nil
}

// events writes server-sent events, each one flushed, a delay between two.
type events struct {
	w       http.ResponseWriter
	flusher *http.ResponseController
	delay   time.Duration
	begun   bool
}

func (e *events) send(ctx context.Context, c chunk) error {
	line, err := encode(c)
	if err != nil {
		return err
	}
	return e.write(ctx, line)
}

// write sends one event whose data is a line that ends in a newline.
func (e *events) write(ctx context.Context, line []byte) error {
	if e.begun && e.delay > 0 {
		select {
		case <-time.After(e.delay):
		case <-ctx.Done():
		}
	}
	e.begun = true
	// Also without a delay: a client that left is not written to.
	if err := ctx.Err(); err != nil {
		return err
	}
	event := append(append([]byte("data: "), line...), '\n')
	if _, err := e.w.Write(event); err != nil {
		return err
	}
	if err := e.flusher.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
