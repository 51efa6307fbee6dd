package dataplane

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// matrixEnvoySpeaks stands in for an Envoy that says what none should, on the
// processor's socket: whatever it is, nothing comes back that was not inspected,
// no stream ends with OK that was not answered, and others are served.
func matrixEnvoySpeaks(t *testing.T, m *matrix) {
	up := newRawModel(t)
	s := startServed(t, up, "--max-body", "65536", "--request-timeout", "5s", "--upstream-timeout", "5s")
	conn, err := grpc.NewClient("unix://"+s.socket("ext"),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodecV2(rawCodec{})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	e := expectation{verdicts: s.verdicts, next: nextOn(func() string { return s.url }, up)}
	flood := func(m func(string, bool) *extprocv3.ProcessingRequest) func(*speaker) {
		return func(sp *speaker) {
			for range 2000 {
				if sp.stream.SendMsg(m(strings.Repeat("fine words ", 1000), false)) != nil {
					return
				}
			}
		}
	}
	inspected := 0
	for _, when := range matrixWhens {
		body, other := bodyOfRequest, bodyOfResponse
		if when != beforeHeaders && when != inRequest {
			body, other = bodyOfResponse, bodyOfRequest
		}
		for _, f := range []struct {
			fault, how string
			say        func(*speaker)
		}{
			{"sends garbage", "bytes that are no message", func(sp *speaker) { _ = sp.stream.SendMsg(rawMessage("\xffgiraffe")) }},
			{"sends garbage", "an empty message", func(sp *speaker) { _ = sp.stream.SendMsg(&extprocv3.ProcessingRequest{}) }},
			{"sends garbage", "a message out of order", func(sp *speaker) { _ = sp.stream.SendMsg(other("{}", false)) }},
			{"sends garbage", "nil fields", func(sp *speaker) { _ = sp.stream.SendMsg(headersOf(when != beforeHeaders && when != inRequest, nil)) }},
			{"sends too much", "a message of 8 MiB", func(sp *speaker) { _ = sp.stream.SendMsg(body(strings.Repeat("x", 8<<20), false)) }},
			{"sends too much", "2,000 messages of 11 KB", flood(body)},
		} {
			sp := speak(t, conn, when)
			at := time.Now()
			f.say(sp)
			// And then what it would take for all to pass.
			for _, rest := range []*extprocv3.ProcessingRequest{bodyOfRequest(forbiddenWords, true), bodyOfResponse(crowdBad, true)} {
				_ = sp.stream.SendMsg(rest)
			}
			tr := sp.end(t)
			e := e
			if when == beforeHeaders {
				e.mayLack = "nothing that is inspected was asked for"
			} else {
				inspected++
			}
			judge(t, m, cell{"Envoy", f.fault, when, f.how}, tr, at, e)
		}
	}
	wantVerdicts(t, s.log, "speaker", inspected+int(up.asked.all.Load()), int(up.asked.alone.Load()))
}

// speaker is a stream of an Envoy that is none.
type speaker struct {
	stream grpc.ClientStream
	cancel context.CancelFunc
	tr     *trip
	heard  chan *extprocv3.ProcessingResponse
	status chan error
	// answered: the client's answer is complete, so the stream may end with OK.
	answered bool
}

func speak(t *testing.T, conn *grpc.ClientConn, when string) *speaker {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hangs)
	stream, err := conn.NewStream(ctx, &extprocv3.ExternalProcessor_ServiceDesc.Streams[0], extprocv3.ExternalProcessor_Process_FullMethodName)
	if err != nil {
		t.Fatal(err)
	}
	sp := &speaker{
		stream: stream, cancel: cancel, tr: newTrip("", "gRPC", when),
		heard: make(chan *extprocv3.ProcessingResponse, 1<<12), status: make(chan error, 1),
	}
	sp.tr.script = &script{}
	go func() {
		for {
			r := new(extprocv3.ProcessingResponse)
			if err := stream.RecvMsg(r); err != nil {
				sp.status <- err
				close(sp.heard)
				return
			}
			sp.heard <- r
		}
	}()
	say := func(answers int, messages ...*extprocv3.ProcessingRequest) {
		for _, m := range messages {
			if err := stream.SendMsg(m); err != nil {
				t.Fatal(err)
			}
		}
		for range answers {
			select {
			case r := <-sp.heard:
				sp.hear(r)
			case <-time.After(5 * time.Second):
				t.Fatalf("%s: no reply", when)
			}
		}
	}
	if when == beforeHeaders {
		return sp
	}
	if when == inRequest {
		sp.tr.forbid()
		say(0, headersOf(false, postHead), bodyOfRequest(sp.tr.body[0], false))
		return sp
	}
	say(2, headersOf(false, postHead), bodyOfRequest(prompt("hi", streaming), true))
	say(0, headersOf(true, sse), bodyOfResponse(chunk(0, role, "null"), false))
	if when == inMidStream || when == atEnd {
		sp.tr.cleared = crowdFirst
		say(2, bodyOfResponse(said(0, clearedWords), false))
	}
	if when == atEnd {
		sp.tr.cleared += crowdMore + crowdEnd
		say(1, bodyOfResponse(crowdMore+crowdEnd, false))
	}
	return sp
}

// hear notes what a reply would have Envoy send on.
func (sp *speaker) hear(r *extprocv3.ProcessingResponse) {
	s := sp.tr.script
	switch r := r.GetResponse().(type) {
	case *extprocv3.ProcessingResponse_RequestHeaders:
		for _, h := range r.RequestHeaders.GetResponse().GetHeaderMutation().GetSetHeaders() {
			if h.GetHeader().GetKey() == "x-request-id" {
				s.id = string(h.GetHeader().GetRawValue())
			}
		}
	case *extprocv3.ProcessingResponse_RequestBody:
		piece := r.RequestBody.GetResponse().GetBodyMutation().GetStreamedResponse()
		s.bytes += len(piece.GetBody())
		s.body += string(piece.GetBody())
	case *extprocv3.ProcessingResponse_ResponseHeaders:
		sp.tr.saw.status = 200
	case *extprocv3.ProcessingResponse_ResponseBody:
		piece := r.ResponseBody.GetResponse().GetBodyMutation().GetStreamedResponse()
		sp.tr.saw.body += string(piece.GetBody())
		if piece.GetEndOfStream() {
			sp.answered = true
		}
	case *extprocv3.ProcessingResponse_ImmediateResponse:
		sp.tr.saw.status = int(r.ImmediateResponse.GetStatus().GetCode())
		sp.tr.saw.body += string(r.ImmediateResponse.GetBody())
		sp.answered = true
		for _, h := range r.ImmediateResponse.GetHeaders().GetSetHeaders() {
			if h.GetHeader().GetKey() == "x-request-id" {
				s.id = string(h.GetHeader().GetRawValue())
			}
		}
	}
}

// end hears the rest and returns what became of the exchange.
func (sp *speaker) end(t *testing.T) *trip {
	t.Helper()
	defer sp.cancel()
	_ = sp.stream.CloseSend()
	for r := range sp.heard {
		sp.hear(r)
	}
	got := &sp.tr.saw
	got.at = time.Now()
	err := <-sp.status
	if errors.Is(err, io.EOF) && !sp.answered {
		t.Errorf("%s: the stream ended with OK after %q", sp.tr.when, got.body)
	}
	if !sp.answered {
		got.err = errors.New("the stream ends with " + status.Code(err).String())
	}
	close(sp.tr.done)
	return sp.tr
}

var (
	postHead = headerMap(":method", "POST", ":path", chatPath, ":authority", "x", "content-type", "application/json")
	sse      = headerMap(":status", "200", "content-type", "text/event-stream")
)

func headerMap(pairs ...string) *corev3.HeaderMap {
	h := new(corev3.HeaderMap)
	for i := 0; i < len(pairs); i += 2 {
		h.Headers = append(h.Headers, &corev3.HeaderValue{Key: pairs[i], RawValue: []byte(pairs[i+1])})
	}
	return h
}

func headersOf(response bool, h *corev3.HeaderMap) *extprocv3.ProcessingRequest {
	if response {
		return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{ResponseHeaders: &extprocv3.HttpHeaders{Headers: h}}}
	}
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{RequestHeaders: &extprocv3.HttpHeaders{Headers: h}}}
}

func bodyOfRequest(body string, end bool) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestBody{RequestBody: &extprocv3.HttpBody{Body: []byte(body), EndOfStream: end}}}
}

func bodyOfResponse(body string, end bool) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseBody{ResponseBody: &extprocv3.HttpBody{Body: []byte(body), EndOfStream: end}}}
}

// rawMessage is what goes over the wire as it is.
type rawMessage string

// rawCodec is gRPC's for messages of protobuf, and none for what is raw.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	if r, ok := v.(rawMessage); ok {
		return mem.BufferSlice{mem.SliceBuffer(r)}, nil
	}
	b, err := proto.Marshal(v.(proto.Message))
	return mem.BufferSlice{mem.SliceBuffer(b)}, err
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	return proto.Unmarshal(data.Materialize(), v.(proto.Message))
}
