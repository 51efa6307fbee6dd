package extproc

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"github.com/difflabai/confidential-safety/verdict"
)

// benchStream plays a script and throws the replies away.
type benchStream struct {
	fakeStream
	script []*extprocv3.ProcessingRequest
	next   int
}

func (s *benchStream) Recv() (*extprocv3.ProcessingRequest, error) {
	if s.next == len(s.script) {
		return nil, io.EOF
	}
	s.next++
	return s.script[s.next-1], nil
}

func (s *benchStream) Send(*extprocv3.ProcessingResponse) error { return nil }

type noRecorder struct{}

func (noRecorder) Record(context.Context, string, string, verdict.External) error { return nil }

func benchmark(b *testing.B, script ...*extprocv3.ProcessingRequest) {
	h := newHouse(b)
	h.cfg.Recorder, h.cfg.Log = noRecorder{}, slog.New(slog.DiscardHandler)
	b.ReportAllocs()
	for b.Loop() {
		s := &benchStream{script: script}
		s.ctx = context.Background()
		if err := h.Process(s); err != nil {
			b.Fatal(err)
		}
	}
}

const benchWords = "The heron stood in the shallow water and waited for the day to end. "

func BenchmarkExchange(b *testing.B) {
	kilobyte := strings.Repeat(benchWords, 14)
	benchmark(b, post(), reqBody(ask(kilobyte), true), respJSON(), respBody(says(kilobyte), true))
}

// Each chunk is one event of one word, as a model server sends them; ns/chunk
// and allocs/op divided by the chunks are what a chunk costs.
func BenchmarkStreamChunk(b *testing.B) {
	const chunks = 1000
	script := []*extprocv3.ProcessingRequest{post(), reqBody(ask("hi"), true), respSSE()}
	words := strings.Fields(benchWords)
	for i := range chunks {
		script = append(script, respBody(event(words[i%len(words)]+" "), i == chunks-1))
	}
	benchmark(b, script...)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/chunks, "ns/chunk")
}
