package dataplane

import (
	"net/http"
	"strings"
	"testing"
)

// A blocked request is answered without a connection to the upstream.
func TestBlockedInputNeverReachesUpstream(t *testing.T) {
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	s := start(t, "--policy", "testdata/policy.toml", "--upstream", m.srv.URL)
	token, received := m.answer(whole(completion("hi")))
	part := `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"purple"},{"type":"text","text":"giraffe"}]}]}`
	for name, body := range map[string]string{
		"user":        prompt("the purple giraffe"),
		"stream":      prompt("the PURPLE\ngiraffe", streaming),
		"system":      `{"messages":[{"role":"system","content":"purple giraffe"},{"role":"user","content":"hi"}]}`,
		"assistant":   `{"messages":[{"role":"assistant","content":"purple giraffe"},{"role":"user","content":"hi"}]}`,
		"tool result": `{"messages":[{"role":"tool","tool_call_id":"1","content":"purple giraffe"}]}`,
		"parts":       part,
		"escaped":     `{"messages":[{"role":"user","content":"p\u0075rple giraffe"}]}`,
		"tool":        `{"messages":[],"tools":[{"type":"function","function":{"name":"f","description":"purple giraffe","parameters":{}}}]}`,
		"schema":      `{"messages":[],"response_format":{"type":"json_schema","json_schema":{"schema":{"enum":["purple giraffe"]}}}}`,
		"unknown":     `{"messages":[],"later":{"deep":["purple giraffe"]}}`,
		"member name": `{"messages":[],"purple giraffe":1}`,
		"user field":  `{"messages":[],"user":"purple giraffe"}`,
	} {
		for proto, client := range map[string]*http.Client{"h1": s.client, "h2": s.client2} {
			t.Run(name+" "+proto, func(t *testing.T) {
				g := ask(t, client, s.url, token, body)
				wantBlocked(t, s, g, "PRE_INFERENCE_GATE", "FORBIDDEN")
			})
		}
	}
	if n := m.accepted.Load(); n != 0 || len(received.requests()) != 0 {
		t.Errorf("%d connections, requests %q", n, received.requests())
	}
	if strings.Contains(strings.ToLower(s.log()), "giraffe") {
		t.Error("the log holds words of a prompt")
	}
	// It is there, and it would have answered.
	if g := ask(t, s.client, s.url, token, prompt("hi")); g.status != http.StatusOK || m.accepted.Load() != 1 {
		t.Errorf("allowed: %d %s, %d connections", g.status, g.body, m.accepted.Load())
	}
}

// As long as no words are out, a block is a status of its own.
func TestBlockedOutputBeforeFirstByte(t *testing.T) {
	s, m := common(t)
	call := `{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"q\":\"purple giraffe\"}"}}]},"finish_reason":"tool_calls"}]}`
	for name, handler := range map[string]http.HandlerFunc{
		"json":           whole(completion("a purple giraffe")),
		"second choice":  whole(completion("fine", "a purple giraffe")),
		"tool call":      whole(call),
		"stream":         pieces(streamed("purple", " giraffe", " and more")),
		"bytewise":       bytewise(streamed("pur", "ple gir", "affe", " and more")),
		"role only":      pieces(chunk(0, role, "null"), chunk(0, role, "null"), said(0, "purple giraffe"), done),
		"at the end":     pieces(chunk(0, role, "null"), said(0, "purple giraffe")),
		"reasoning":      pieces(chunk(0, `{"reasoning_content":"purple "}`, "null"), chunk(0, `{"reasoning_content":"giraffe "}`, "null"), done),
		"comments":       pieces(": purple\n\n", said(0, "fine "), ": giraffe!\n\n", done),
		"event names":    pieces("event: purple\n"+said(0, "fine "), "event: giraffe\n"+said(0, "day "), done),
		"top level":      pieces("data: {\"x\":\"purple \",\"choices\":[]}\n\n", "data: {\"x\":\"giraffe \",\"choices\":[]}\n\n", done),
		"unknown member": pieces(chunk(0, `{"musing":"purple "}`, "null"), chunk(0, `{"musing":"giraffe "}`, "null"), done),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, _ := m.answer(handler)
			g := ask(t, s.client, s.url, token, prompt("hi", streaming))
			wantBlocked(t, s, g, "POST_INFERENCE_GATE", "FORBIDDEN")
		})
	}
}

// Once words are out, the stream ends with a chunk that closes the open choices
// and with the error object, and nothing of the forbidden words.
func TestBlockedOutputInMidStream(t *testing.T) {
	s, m := common(t)
	before := chunk(0, role, "null") + said(0, "Once upon a time, ") + said(1, "Well, ") + chunk(1, "{}", `"stop"`)
	after := said(0, "a purple") + said(0, " giraffe") + said(0, " came") + done
	const closed = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}` + "\n\n"
	for proto, client := range map[string]*http.Client{"h1": s.client, "h2": s.client2} {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			seen := make(chan struct{})
			token, _ := m.answer(paused(before, seen, after))
			r := open(t, client, request(t, http.MethodPost, s.url+chatPath, token, prompt("hi", streaming, `"n":2`)))
			r.until(t, before)
			close(seen)
			g := r.rest()
			if g.status != http.StatusOK || g.err != nil {
				t.Fatalf("status %d, %v: %s", g.status, g.err, g.body)
			}
			object, ok := strings.CutPrefix(g.body, closed+"data: ")
			if !ok || !strings.HasSuffix(object, "\n\n") {
				t.Fatalf("got %q", g.body)
			}
			g.body = object
			wantRefusal(t, s, g, "POST_INFERENCE_GATE", "FORBIDDEN")
		})
	}
}
