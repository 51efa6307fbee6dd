package extproc

import (
	"encoding/json"
	"strconv"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"

	"github.com/difflabai/confidential-safety/verdict"
)

// reply sends an exchange's answers to Envoy.
type reply struct {
	stream  extprocv3.ExternalProcessor_ProcessServer
	id      string
	started bool // the response headers are out
}

type side bool

const (
	request  side = false
	response side = true
)

// maxPiece is how much of a body goes into one message, so that a message
// stays within the stream's flow-control window.
const maxPiece = 64 << 10

// unknownLength is that of a body whose end has not been read.
const unknownLength = -1

// headers lets a direction's headers go on, those that keep names. length is
// that of the body which will follow, in bytes.
func (r *reply) headers(s side, m *corev3.HeaderMap, keep func(name, value string) bool, length int) error {
	set, remove := mutation(m, r.id, keep)
	if length != unknownLength {
		// Envoy leaves the header to us (allow_content_length_header). Without
		// it the body would be chunked, which small servers do not read.
		set = append(set, setHeader(contentLengthHeader, strconv.Itoa(length)))
	}
	h := &extprocv3.HeadersResponse{Response: &extprocv3.CommonResponse{
		HeaderMutation: &extprocv3.HeaderMutation{SetHeaders: set, RemoveHeaders: remove},
	}}
	if s == response {
		r.started = true
		return r.stream.Send(&extprocv3.ProcessingResponse{
			Response: &extprocv3.ProcessingResponse_ResponseHeaders{ResponseHeaders: h},
		})
	}
	return r.stream.Send(&extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_RequestHeaders{RequestHeaders: h},
	})
}

// bodyPieces sends bytes of a body in messages of a bounded size.
func (r *reply) bodyPieces(s side, body []byte, last bool) error {
	for {
		n := min(len(body), maxPiece)
		piece := body[:n]
		body = body[n:]
		end := last && len(body) == 0
		if len(piece) > 0 || end {
			if err := r.bodyPiece(s, piece, end); err != nil {
				return err
			}
		}
		if len(body) == 0 {
			return nil
		}
	}
}

func (r *reply) bodyPiece(s side, piece []byte, end bool) error {
	b := &extprocv3.BodyResponse{Response: &extprocv3.CommonResponse{
		BodyMutation: &extprocv3.BodyMutation{Mutation: &extprocv3.BodyMutation_StreamedResponse{
			StreamedResponse: &extprocv3.StreamedBodyResponse{Body: piece, EndOfStream: end},
		}},
	}}
	if s == response {
		return r.stream.Send(&extprocv3.ProcessingResponse{
			Response: &extprocv3.ProcessingResponse_ResponseBody{ResponseBody: b},
		})
	}
	return r.stream.Send(&extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_RequestBody{RequestBody: b},
	})
}

// trailers ends a direction that has trailers, without them: they are unread.
func (r *reply) trailers(s side, m *corev3.HeaderMap) error {
	t := &extprocv3.TrailersResponse{HeaderMutation: &extprocv3.HeaderMutation{}}
	for _, h := range m.GetHeaders() {
		t.HeaderMutation.RemoveHeaders = append(t.HeaderMutation.RemoveHeaders, h.GetKey())
	}
	if s == response {
		return r.stream.Send(&extprocv3.ProcessingResponse{
			Response: &extprocv3.ProcessingResponse_ResponseTrailers{ResponseTrailers: t},
		})
	}
	return r.stream.Send(&extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_RequestTrailers{RequestTrailers: t},
	})
}

// refuse answers the client in the upstream's stead. It answers both
// directions.
func (r *reply) refuse(f *refusal, v *verdict.External) error {
	headers := []*corev3.HeaderValueOption{setHeader("content-type", "application/json")}
	return r.immediate(f.status, headers, f.object(v))
}

func (r *reply) immediate(status int, headers []*corev3.HeaderValueOption, body []byte) error {
	return r.stream.Send(&extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_ImmediateResponse{ImmediateResponse: &extprocv3.ImmediateResponse{
			Status:  &typev3.HttpStatus{Code: typev3.StatusCode(status)},
			Headers: &extprocv3.HeaderMutation{SetHeaders: append(headers, setHeader(requestID, r.id))},
			Body:    body,
		}},
	})
}

// object is the error object of a refusal. v may be nil.
func (r *refusal) object(v *verdict.External) []byte {
	type words struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Code    string  `json:"code"`
		Param   *string `json:"param"`
	}
	object := struct {
		Error  words             `json:"error"`
		Safety *verdict.External `json:"safety,omitempty"`
	}{Error: words{Message: r.message, Type: r.kind, Code: r.code}}
	if r.judged {
		object.Safety = v
	}
	// Strings and numbers of our own: this cannot fail.
	b, err := json.Marshal(object)
	if err != nil {
		return []byte(`{"error":{}}`)
	}
	return b
}
