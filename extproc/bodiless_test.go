package extproc

import (
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"
)

// A request of an API without bodies goes on by its headers, or with an end that
// comes by itself; one with a body does not.
func TestRequestsWithoutBody(t *testing.T) {
	open := func() *extprocv3.ProcessingRequest {
		return headersOf(false, headerMap(":method", "GET", ":path", "/v1/models", ":authority", "x"))
	}
	for name, c := range map[string]struct {
		in    []*extprocv3.ProcessingRequest
		trace string
	}{
		"no body":           {[]*extprocv3.ProcessingRequest{get("/v1/models")}, "H>"},
		"an end by itself":  {[]*extprocv3.ProcessingRequest{open(), reqBody("", true)}, "H> B>."},
		"two empty bodies":  {[]*extprocv3.ProcessingRequest{open(), reqBody("", false), reqBody("", true)}, "H> B>."},
		"a body":            {[]*extprocv3.ProcessingRequest{open(), reqBody("x", true)}, "I400"},
		"a body that waits": {[]*extprocv3.ProcessingRequest{open(), reqBody("x", false)}, "I400"},
		"no end yet":        {[]*extprocv3.ProcessingRequest{open()}, ""},
	} {
		bubble(t, func(t *testing.T, h *house) {
			t.Log(name)
			e := begin(t, h.Server)
			e.send(c.in...)
			e.expect(c.trace)
			if len(c.trace) == 0 || c.trace[0] == 'I' {
				return
			}
			e.send(respJSON(), respBody(`{"data":[{"id":"m"}]}`, true))
			e.expectEnd(c.trace+" H< B<.", codes.OK)
			h.recorder.expectNone(t)
		})
	}
}

// While verdicts cannot be recorded nothing passes, also what has no verdict.
func TestModelsWhileUnrecorded(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.unrecorded.Store(true)
		e := begin(t, h.Server)
		e.send(get("/v1/models"))
		e.expect("I503")
	})
}
