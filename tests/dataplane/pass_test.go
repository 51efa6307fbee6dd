package dataplane

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// What is allowed arrives as it was sent, byte by byte, both ways.
func TestAllowedIsIdentical(t *testing.T) {
	s, m := common(t)
	odd := "\n {\"choices\" : [ {\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"caf\\u00e9 \\ud83d\\ude00 \\/ é 😀\\n\"},\"x\":1e3}],\r\n\t\"unknown\":[null,true,{\"a\":\"b\"}]} \n"
	stream := ": comment\n\n" + "event: message\r\nid: 7\r\nretry: 10\r\ndata:" + strings.TrimPrefix(said(0, "héllo"), "data: ") +
		"data: {\"choices\":\ndata: []}\n\n" + streamed("one", " two", " 😀")
	for name, tc := range map[string]struct{ request, response string }{
		"json":   {"\t" + prompt("hi \u00e9", `"temperature":0.25`, `"seed":-1`) + "\n", odd},
		"stream": {prompt("hi", streaming), stream},
	} {
		for proto, client := range map[string]*http.Client{"h1": s.client, "h2": s.client2} {
			t.Run(name+" "+proto, func(t *testing.T) {
				t.Parallel()
				handler := whole(tc.response)
				if name == "stream" {
					handler = bytewise(tc.response)
				}
				token, received := m.answer(handler)
				g := ask(t, client, s.url, token, tc.request)
				if g.status != http.StatusOK || g.body != tc.response || g.err != nil {
					t.Errorf("status %d, %v: got %q, want %q", g.status, g.err, g.body, tc.response)
				}
				if r := received.requests(); len(r) != 1 || r[0] != tc.request {
					t.Errorf("upstream got %q, want %q", r, tc.request)
				}
				v := s.verdict(t, g.requestID)
				if v.Action != "ALLOW" || v.RiskCategory != "NONE" || v.Stage != "POST_INFERENCE_GATE" || v.PolicyVersion != "7.1.0-test" {
					t.Errorf("verdict %+v", v)
				}
			})
		}
	}
}

// Headers that could carry words or steer Envoy do not pass, and ids are ours.
func TestHeaders(t *testing.T) {
	s, m := common(t)
	token, received := m.answer(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Words", "a secret")
		w.Header().Set("X-Request-Id", "theirs")
		w.Header().Set("Retry-After", "7")
		w.Header().Set("Set-Cookie", "a=b")
		whole(completion("hi"))(w, r)
	})
	req := request(t, http.MethodPost, s.url+chatPath, token, prompt("hi"))
	for name, value := range map[string]string{
		"X-Request-Id": "mine", "Accept-Encoding": "gzip", "X-Envoy-Upstream-Rq-Timeout-Ms": "1", "X-Forwarded-For": "10.1.2.3",
		"Traceparent": "00-1-1-01", "Cookie": "a=b", "X-Words": "some", "Openai-Organization": "org",
	} {
		req.Header.Set(name, value)
	}
	g := send(t, s.client, req)
	if g.status != http.StatusOK || g.body != completion("hi") {
		t.Fatalf("%d %s", g.status, g.body)
	}
	for _, name := range []string{"X-Words", "Set-Cookie"} {
		if v := g.header.Get(name); v != "" {
			t.Errorf("response header %s: %s", name, v)
		}
	}
	if g.header.Get("Retry-After") != "7" || g.header.Get("Content-Length") != strconv.Itoa(len(g.body)) {
		t.Errorf("headers %v", g.header)
	}
	if len(g.requestID) < 20 || g.requestID == "mine" || g.requestID == "theirs" {
		t.Errorf("request id %q", g.requestID)
	}
	sent := received.headers[0]
	want := map[string]bool{
		"Accept": true, "Authorization": true, "Content-Type": true, "Content-Length": true, "User-Agent": true,
		"Openai-Organization": true, "X-Request-Id": true,
	}
	for name := range sent {
		if !want[name] {
			t.Errorf("request header %s: %q reached the upstream", name, sent.Get(name))
		}
	}
	if sent.Get("X-Request-Id") != g.requestID {
		t.Errorf("upstream knows the request as %q, the client as %q", sent.Get("X-Request-Id"), g.requestID)
	}
}

// An error of the upstream's own is inspected and passes like an answer.
func TestUpstreamErrorPasses(t *testing.T) {
	s, m := common(t)
	const body = `{"error":{"message":"The model is overloaded.","type":"server_error","code":null,"param":null}}`
	token, _ := m.answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(body))
	})
	if g := ask(t, s.client, s.url, token, prompt("hi")); g.status != http.StatusTooManyRequests || g.body != body {
		t.Errorf("%d %s", g.status, g.body)
	}
	token, _ = m.answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":{"message":"purple giraffe"}}`))
	})
	wantBlocked(t, s, ask(t, s.client, s.url, token, prompt("hi")), "POST_INFERENCE_GATE", "FORBIDDEN")
}

// A warning passes unchanged and is recorded.
func TestWarn(t *testing.T) {
	s, m := common(t)
	for name, tc := range map[string]struct{ in, out, stage string }{
		"input":  {"a delicate matter", "fine", "PRE_INFERENCE_GATE"},
		"output": {"hi", "a delicate matter", "POST_INFERENCE_GATE"},
	} {
		token, received := m.answer(whole(completion(tc.out)))
		g := ask(t, s.client, s.url, token, prompt(tc.in))
		if g.status != http.StatusOK || g.body != completion(tc.out) || len(received.requests()) != 1 {
			t.Errorf("%s: %d %s", name, g.status, g.body)
		}
		if v := s.verdict(t, g.requestID); v.Action != "WARN" || v.RiskCategory != "DELICATE" || v.Stage != tc.stage {
			t.Errorf("%s: %+v", name, v)
		}
	}
}
