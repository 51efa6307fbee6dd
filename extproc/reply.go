package extproc

import (
	"strconv"
	"sync"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"

	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/verdict"
)

// reply sends an exchange's answers to Envoy.
type reply struct {
	stream  extprocv3.ExternalProcessor_ProcessServer
	id      string
	api     *decode.API // nil for what is not inspected
	started bool        // the response headers are out

	observer Observer

	mu     sync.Mutex // held while something is sent
	sent   int        // messages so far
	seized bool       // whoever sends is too late
}

// send sends one message. Once the exchange is seized it sends no more.
func (r *reply) send(m *extprocv3.ProcessingResponse) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seized {
		return errTaken
	}
	r.sent++
	return r.stream.Send(m)
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
	if s == response {
		set = append(set, r.ownID()...)
	}
	if length != unknownLength {
		// Envoy leaves the header to us (allow_content_length_header). Without
		// it the body would be chunked, which small servers do not read.
		set = append(set, setHeader(contentLengthHeader, strconv.Itoa(length)))
	}
	if t := mediaType(m); t != "" && !keep(contentTypeHeader, first(m, contentTypeHeader)) {
		// Another spelling of what the body has been read as.
		set = append(set, setHeader(contentTypeHeader, t))
	}
	h := &extprocv3.HeadersResponse{Response: &extprocv3.CommonResponse{
		HeaderMutation: &extprocv3.HeaderMutation{SetHeaders: set, RemoveHeaders: remove},
	}}
	if s == response {
		r.started = true
		return r.send(&extprocv3.ProcessingResponse{
			Response: &extprocv3.ProcessingResponse_ResponseHeaders{ResponseHeaders: h},
		})
	}
	return r.send(&extprocv3.ProcessingResponse{
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

// bodyMessage is all of a body message in one allocation, since there is one
// for each token of a stream.
type bodyMessage struct {
	message  extprocv3.ProcessingResponse
	request  extprocv3.ProcessingResponse_RequestBody
	response extprocv3.ProcessingResponse_ResponseBody
	body     extprocv3.BodyResponse
	common   extprocv3.CommonResponse
	mutation extprocv3.BodyMutation
	streamed extprocv3.BodyMutation_StreamedResponse
	piece    extprocv3.StreamedBodyResponse
}

func (r *reply) bodyPiece(s side, piece []byte, end bool) error {
	m := new(bodyMessage)
	m.piece.Body, m.piece.EndOfStream = piece, end
	m.streamed.StreamedResponse = &m.piece
	m.mutation.Mutation = &m.streamed
	m.common.BodyMutation = &m.mutation
	m.body.Response = &m.common
	if s == response {
		m.response.ResponseBody = &m.body
		m.message.Response = &m.response
	} else {
		m.request.RequestBody = &m.body
		m.message.Response = &m.request
	}
	if err := r.send(&m.message); err != nil {
		return err
	}
	r.observer.Moved(s == response, 0, len(piece))
	return nil
}

// trailers ends a direction that has trailers, without them: they are unread.
func (r *reply) trailers(s side, m *corev3.HeaderMap) error {
	t := &extprocv3.TrailersResponse{HeaderMutation: &extprocv3.HeaderMutation{}}
	for _, h := range m.GetHeaders() {
		t.HeaderMutation.RemoveHeaders = append(t.HeaderMutation.RemoveHeaders, h.GetKey())
	}
	if s == response {
		return r.send(&extprocv3.ProcessingResponse{
			Response: &extprocv3.ProcessingResponse_ResponseTrailers{ResponseTrailers: t},
		})
	}
	return r.send(&extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_RequestTrailers{RequestTrailers: t},
	})
}

// refuse answers the client in the upstream's stead. It answers both
// directions.
func (r *reply) refuse(f *refusal, v *verdict.External) error {
	return r.immediate(f.status, append(f.headers(), r.ownID()...), r.failure(f, v))
}

// failure is the body of a refusal in the form of the API's clients. v may be
// nil.
func (r *reply) failure(f *refusal, v *verdict.External) []byte {
	if r.api == nil {
		return decode.OpenAIFailure(nil, f.failure(r.id, v))
	}
	return r.api.Failure(nil, f.failure(r.id, v))
}

// ownID is the header that has the request's id in responses of the API alone.
func (r *reply) ownID() []*corev3.HeaderValueOption {
	if r.api == nil || r.api.IDHeader == "" {
		return nil
	}
	return []*corev3.HeaderValueOption{setHeader(r.api.IDHeader, r.id)}
}

func (r *reply) immediate(status int, headers []*corev3.HeaderValueOption, body []byte) error {
	return r.send(immediately(status, append(headers, setHeader(requestID, r.id)), body))
}

func immediately(status int, headers []*corev3.HeaderValueOption, body []byte) *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_ImmediateResponse{ImmediateResponse: &extprocv3.ImmediateResponse{
			Status:  &typev3.HttpStatus{Code: typev3.StatusCode(status)}, //nolint:gosec // three digits
			Headers: &extprocv3.HeaderMutation{SetHeaders: headers},
			Body:    body,
		}},
	}
}
