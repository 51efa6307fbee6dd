package extproc

import (
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
)

// Envoy's messages, in short.

func headerMap(pairs ...string) *corev3.HeaderMap {
	m := &corev3.HeaderMap{}
	for i := 0; i < len(pairs); i += 2 {
		m.Headers = append(m.Headers, &corev3.HeaderValue{Key: pairs[i], RawValue: []byte(pairs[i+1])})
	}
	return m
}

func headersOf(end bool, m *corev3.HeaderMap) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{
		RequestHeaders: &extprocv3.HttpHeaders{Headers: m, EndOfStream: end},
	}}
}

// post is the headers of a request as it should be, and more.
func post(more ...string) *extprocv3.ProcessingRequest {
	pairs := []string{":method", "POST", ":path", "/v1/chat/completions", ":authority", "x", "content-type", "application/json"}
	return headersOf(false, headerMap(append(pairs, more...)...))
}

func get(path string, more ...string) *extprocv3.ProcessingRequest {
	return headersOf(true, headerMap(append([]string{":method", "GET", ":path", path}, more...)...))
}

func reqBody(s string, end bool) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestBody{
		RequestBody: &extprocv3.HttpBody{Body: []byte(s), EndOfStream: end},
	}}
}

func reqTrailers(pairs ...string) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestTrailers{
		RequestTrailers: &extprocv3.HttpTrailers{Trailers: headerMap(pairs...)},
	}}
}

func respHeaders(end bool, pairs ...string) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{
		ResponseHeaders: &extprocv3.HttpHeaders{Headers: headerMap(append([]string{":status", "200"}, pairs...)...), EndOfStream: end},
	}}
}

func respJSON() *extprocv3.ProcessingRequest {
	return respHeaders(false, "content-type", "application/json")
}

func respSSE() *extprocv3.ProcessingRequest {
	return respHeaders(false, "content-type", "text/event-stream; charset=utf-8")
}

func respBody(s string, end bool) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseBody{
		ResponseBody: &extprocv3.HttpBody{Body: []byte(s), EndOfStream: end},
	}}
}

func respTrailers(pairs ...string) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseTrailers{
		ResponseTrailers: &extprocv3.HttpTrailers{Trailers: headerMap(pairs...)},
	}}
}

func ask(words string) string {
	return `{"model":"m","messages":[{"role":"user","content":"` + words + `"}]}`
}

func says(words string) string {
	return `{"id":"c1","choices":[{"index":0,"message":{"role":"assistant","content":"` + words + `"}}]}`
}

func event(words string) string {
	return `data: {"id":"c1","created":7,"model":"m","choices":[{"index":0,"delta":{"content":"` + words + `"}}]}` + "\n\n"
}

const (
	roleEvent = `data: {"id":"c1","created":7,"model":"m","choices":[{"index":0,"delta":{"role":"assistant"}}]}` + "\n\n"
	doneEvent = "data: [DONE]\n\n"
)

// sets reads a header that a mutation sets.
func sets(m *extprocv3.HeaderMutation, name string) string {
	var values []string
	for _, h := range m.GetSetHeaders() {
		if h.GetHeader().GetKey() == name {
			values = append(values, string(h.GetHeader().GetRawValue()))
		}
	}
	return strings.Join(values, "|")
}
