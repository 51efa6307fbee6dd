package extproc

import (
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"

	"github.com/difflabai/confidential-safety/verdict"
)

// A status that is none of HTTP's final ones is no answer.
func TestStatuses(t *testing.T) {
	for status, passes := range map[string]bool{
		"200": true, "206": true, "429": true, "599": true,
		"101": false, "199": false, "600": false, "999": false, "1000": false, "20": false, "": false,
	} {
		t.Run(status, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *house) {
				e := begin(t, h.Server)
				e.send(post(), reqBody(ask("hi"), true))
				e.send(&extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{
					ResponseHeaders: &extprocv3.HttpHeaders{Headers: headerMap(":status", status, "content-type", "application/json")},
				}})
				if !passes {
					e.expectEnd("H> B>. I502", codes.OK)
					h.recorder.expect(t, verdict.PostInferenceGate, verdict.Block, verdict.Unavailable)
					return
				}
				e.send(respBody(says("hi"), true))
				e.expectEnd("H> B>. H< B<.", codes.OK)
			})
		})
	}
}

// A length that is too large for a number is too large.
func TestHugeContentLength(t *testing.T) {
	for value, want := range map[string]int64{
		"57": 57, "": -1, "x": -1, "9223372036854775807": 1<<63 - 1, "9223372036854775808": 1<<63 - 1, "18446744073709551615": 1<<63 - 1,
	} {
		if n := contentLength(headerMap("content-length", value)); n != want {
			t.Errorf("%s: %d, want %d", value, n, want)
		}
	}
}
