package extproc

import (
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"

	"github.com/difflabai/confidential-safety/verdict"
)

// Answers of an upstream that cannot be read: nothing of them goes on.
func TestBadUpstream(t *testing.T) {
	const failed, unchecked = "upstream_failed", "not_checked"
	typed := func(ct string, more ...string) *extprocv3.ProcessingRequest {
		return respHeaders(false, append([]string{"content-type", ct}, more...)...)
	}
	for name, c := range map[string]struct {
		messages []*extprocv3.ProcessingRequest
		trace    string
		code     string
	}{
		"text":             {[]*extprocv3.ProcessingRequest{typed("text/plain")}, "I502", failed},
		"Envoy's own":      {[]*extprocv3.ProcessingRequest{typed("text/plain", "server", "envoy"), respBody("no healthy upstream", true)}, "I502", failed},
		"no type":          {[]*extprocv3.ProcessingRequest{respHeaders(false)}, "I502", failed},
		"Latin-1":          {[]*extprocv3.ProcessingRequest{typed("application/json; charset=latin1")}, "I502", failed},
		"two types":        {[]*extprocv3.ProcessingRequest{typed("application/json", "content-type", "text/event-stream")}, "I502", failed},
		"gzip":             {[]*extprocv3.ProcessingRequest{typed("application/json", "content-encoding", "gzip")}, "I502", failed},
		"gzip stream":      {[]*extprocv3.ProcessingRequest{typed("text/event-stream", "content-encoding", "gzip")}, "I502", failed},
		"no body":          {[]*extprocv3.ProcessingRequest{respHeaders(true, "content-type", "application/json")}, "I502", failed},
		"no stream":        {[]*extprocv3.ProcessingRequest{respHeaders(true, "content-type", "text/event-stream")}, "I502", failed},
		"empty body":       {[]*extprocv3.ProcessingRequest{respJSON(), respBody("", true)}, "I502", failed},
		"trailers alone":   {[]*extprocv3.ProcessingRequest{respJSON(), respTrailers()}, "I502", failed},
		"not JSON":         {[]*extprocv3.ProcessingRequest{respJSON(), respBody("<fox>", true)}, "I502", failed},
		"cut off":          {[]*extprocv3.ProcessingRequest{respJSON(), respBody(`{"choices":[`, true)}, "I502", failed},
		"events not JSON":  {[]*extprocv3.ProcessingRequest{respSSE(), respBody("data: fox\n\n", true)}, "I502", failed},
		"duplicate":        {[]*extprocv3.ProcessingRequest{respJSON(), respBody(`{"a":1,"a":2}`, true)}, "I503", unchecked},
		"not UTF-8":        {[]*extprocv3.ProcessingRequest{respJSON(), respBody("{\"a\":\"\xff\"}", true)}, "I503", unchecked},
		"sound":            {[]*extprocv3.ProcessingRequest{respJSON(), respBody(`{"choices":[{"message":{"audio":{}}}]}`, true)}, "I503", unchecked},
		"JSON in a stream": {[]*extprocv3.ProcessingRequest{respSSE(), respBody(says("hi"), true)}, "I502", failed},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *house) {
				e := begin(t, h.Server)
				e.send(post(), reqBody(ask("hi"), true))
				e.send(c.messages...)
				e.expectEnd("H> B>. "+c.trace, codes.OK)
				body := ""
				if c.code == unchecked {
					body = at(uncheckedBody, verdict.PostInferenceGate)
				}
				e.expectImmediate(body, c.code)
				h.recorder.expect(t, verdict.PostInferenceGate, verdict.Block, verdict.Unavailable)
			})
		})
	}
}

// A started stream that turns bad ends with an error object, cleanly.
func TestBadStream(t *testing.T) {
	for name, c := range map[string]struct{ bad, code string }{
		"not JSON":  {"data: fox\n\n", "upstream_failed"},
		"not UTF-8": {"data: {\"a\":\"\xff\"}\n\n", "not_checked"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *house) {
				e := begin(t, h.Server)
				e.send(post(), reqBody(ask("hi"), true), respSSE(), respBody(event("one. "), false), respBody(c.bad, false))
				e.expectEnd("H> B>. H< B< B<.", codes.OK)
				expectErrorEnd(t, string(e.body[1]), event("one. "), c.code)
				h.recorder.expect(t, verdict.PostInferenceGate, verdict.Block, verdict.Unavailable)
			})
		})
	}
}

// The upstream's own errors pass, inspected.
func TestUpstreamError(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		const body = `{"error":{"message":"see project heron","type":"x","code":null}}`
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("hi"), true), respHeaders(false, ":status", "429", "content-type", "application/json"), respBody(body, true))
		e.expectEnd("H> B>. H< B<.", codes.OK)
		if got := string(e.body[1]); got != `{"error":{"message":"see [REDACTED]","type":"x","code":null}}` {
			t.Errorf("%s", got)
		}
	})
}
