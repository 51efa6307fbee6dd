package dataplane

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	extprocfilterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// matrixProcessor has Envoy ask a processor that is not ours and misbehaves:
// what we rely on Envoy for.
func matrixProcessor(t *testing.T, m *matrix) {
	up := newRawModel(t)
	c := startChild(t, "processor", up)
	next := nextOn(func() string { return c.url }, up)
	const trap = "closes its stream with OK: Envoy goes on by itself, so ours never does (TestEveryOrder and TestPanicsEverywhere in extproc)"
	cells := make(map[string]func(*testing.T))
	for _, f := range []struct{ fault, how, name string }{
		{"closes cleanly", trap, "ok"},
		{"closes with error", "status INTERNAL", "error"},
		{"sends garbage", "an empty message", "empty"},
		{"sends garbage", "a reply to the other side's headers", "other"},
		{"sends garbage", "a body that is not a streamed piece", "plain"},
		{"sends garbage", "a mode override", "mode"},
		{"sends too much", "10,000 replies to headers", "flood"},
		{"sends too much", "6 MiB after the end", "after"},
	} {
		for _, when := range matrixWhens {
			for _, proto := range []string{"h1", "h2"} {
				cells[f.name+" "+when+" "+proto] = func(t *testing.T) {
					tr := newTrip(c.url, proto, when)
					tr.fault = f.name + "@" + when
					tr.token, tr.script = up.on(func(conn *rawConn) {
						if f.name != "ok" || when != beforeHeaders && when != inRequest {
							conn.receive() // else there is none
						}
						conn.say(sseHead)
						conn.event(crowdFirst)
						conn.s.arrive()
						conn.event(crowdBad)
						time.Sleep(100 * time.Millisecond)
						conn.say(lastChunk)
					})
					switch when {
					case beforeHeaders, inRequest:
						tr.forbid()
						close(tr.goOn)
					case inMidStream, atEnd:
						tr.cleared = crowdFirst
						tr.mark = len(crowdFirst)
						tr.script.reached = tr.reached
					}
					at := time.Now()
					tr.start()
					judge(t, m, cell{"sidecar", f.fault, when, f.how}, tr, at, expectation{
						mayLack: "not our processor", next: next, trap: f.name == "ok",
					})
				}
			}
		}
	}
	atOnce(t, cells)
}

// brokenProcessor lets all pass, as ours would if nothing were found, until the
// time for the fault that the request names.
type brokenProcessor struct {
	extprocv3.UnimplementedExternalProcessorServer
}

func registerBrokenProcessor(s *grpc.Server) {
	extprocv3.RegisterExternalProcessorServer(s, brokenProcessor{})
}

func (brokenProcessor) Process(stream extprocv3.ExternalProcessor_ProcessServer) error {
	var name, when string
	var body []byte
	heads, pieces := 0, 0
	fault := func(at string) bool { return when == at }
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return status.Error(codes.Aborted, "ended by Envoy")
		}
		if err != nil {
			return err
		}
		switch r := m.GetRequest().(type) {
		case *extprocv3.ProcessingRequest_RequestHeaders:
			for _, h := range r.RequestHeaders.GetHeaders().GetHeaders() {
				if h.GetKey() == "x-fault" {
					name, when, _ = strings.Cut(string(h.GetRawValue()), "@")
				}
			}
			if fault(beforeHeaders) {
				return misbehave(stream, name, heads+pieces > 0 || when == beforeFirstByte)
			}
		case *extprocv3.ProcessingRequest_RequestBody:
			if fault(inRequest) {
				return misbehave(stream, name, heads+pieces > 0 || when == beforeFirstByte)
			}
			// Like ours it lets nothing go on before all of it is there.
			body = append(body, r.RequestBody.GetBody()...)
			if !r.RequestBody.GetEndOfStream() {
				continue
			}
			if err := sendAll(stream, passOn(&extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{}}), streamedReply(false, body, true)); err != nil {
				return err
			}
		case *extprocv3.ProcessingRequest_ResponseBody:
			if fault(beforeFirstByte) {
				return misbehave(stream, name, heads+pieces > 0 || when == beforeFirstByte)
			}
			if pieces++; pieces > 1 && fault(inMidStream) || r.ResponseBody.GetEndOfStream() && fault(atEnd) {
				return misbehave(stream, name, heads+pieces > 0 || when == beforeFirstByte)
			}
			if pieces > 1 && fault(atEnd) {
				continue
			}
			if heads++; heads == 1 {
				if err := stream.Send(passOn(&extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{}})); err != nil {
					return err
				}
			}
			if err := stream.Send(passOn(m)); err != nil {
				return err
			}
		}
	}
}

// misbehave does what the name says, in the request or the response, and never
// lets anything pass again.
func misbehave(stream extprocv3.ExternalProcessor_ProcessServer, name string, response bool) error {
	bad := []byte(crowdBad)
	requestHeaders := passOn(&extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{}})
	responseHeaders := passOn(&extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{}})
	switch name {
	case "ok":
		return nil
	case "error":
		return status.Error(codes.Internal, "broken")
	case "empty":
		_ = stream.Send(&extprocv3.ProcessingResponse{})
	case "other":
		if response {
			_ = stream.Send(requestHeaders)
		} else {
			_ = stream.Send(responseHeaders)
		}
	case "plain":
		plain := &extprocv3.BodyResponse{Response: &extprocv3.CommonResponse{BodyMutation: &extprocv3.BodyMutation{
			Mutation: &extprocv3.BodyMutation_Body{Body: bad},
		}}}
		_ = sendAll(stream,
			&extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestBody{RequestBody: plain}},
			&extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseBody{ResponseBody: plain}})
	case "mode":
		override := &extprocfilterv3.ProcessingMode{ResponseHeaderMode: extprocfilterv3.ProcessingMode_SKIP}
		requestHeaders.ModeOverride, responseHeaders.ModeOverride = override, override
		_ = sendAll(stream, responseHeaders)
	case "flood":
		for range 10_000 {
			if sendAll(stream, responseHeaders) != nil {
				break
			}
		}
	case "after":
		_ = stream.Send(streamedReply(true, nil, true))
		for range 100 {
			if sendAll(stream, streamedReply(true, []byte(strings.Repeat(crowdBad, 160)), false)) != nil {
				break
			}
		}
	}
	// Envoy may end it sooner.
	select {
	case <-stream.Context().Done():
	case <-time.After(time.Second):
	}
	return status.Error(codes.Internal, "broken")
}

func sendAll(stream extprocv3.ExternalProcessor_ProcessServer, replies ...*extprocv3.ProcessingResponse) error {
	for _, r := range replies {
		if err := stream.Send(r); err != nil {
			return err
		}
	}
	return nil
}

func streamedReply(response bool, body []byte, end bool) *extprocv3.ProcessingResponse {
	b := &extprocv3.HttpBody{Body: body, EndOfStream: end}
	if response {
		return passOn(&extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseBody{ResponseBody: b}})
	}
	return passOn(&extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestBody{RequestBody: b}})
}
