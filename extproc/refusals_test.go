package extproc

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"

	"github.com/difflabai/confidential-safety/verdict"
)

const blockedBody = `{"error":{"message":"This request was blocked by the safety policy.","type":"safety_policy","code":"content_blocked","param":null},` +
	`"safety":{"verdict_id":"id-2","stage":"STAGE","risk_category":"WEAPONS","action":"BLOCK","policy_version":"7","timestamp":"2026-01-02T03:04:05Z"}}`

const uncheckedBody = `{"error":{"message":"This request could not be checked and was not processed.","type":"safety_unavailable","code":"not_checked","param":null},` +
	`"safety":{"verdict_id":"id-2","stage":"STAGE","risk_category":"UNAVAILABLE","action":"BLOCK","policy_version":"7","timestamp":"2026-01-02T03:04:05Z"}}`

func at(body string, s verdict.Stage) string { return strings.Replace(body, "STAGE", string(s), 1) }

// expectImmediate checks the whole of an immediate response; an empty body is
// any error object without a verdict.
func (e *talk) expectImmediate(body, code string) {
	e.t.Helper()
	i := e.immediate
	if id, ct := sets(i.GetHeaders(), "x-request-id"), sets(i.GetHeaders(), "content-type"); id != "id-1" || ct != "application/json" || len(i.GetHeaders().GetSetHeaders()) != 2 {
		e.t.Errorf("headers %v", i.GetHeaders())
	}
	if i.GetDetails() != "" || i.GetGrpcStatus() != nil {
		e.t.Error("an immediate response with more than it needs")
	}
	if body != "" {
		if got := string(i.GetBody()); got != body {
			e.t.Errorf("body %s\nwant %s", got, body)
		}
		return
	}
	var v struct {
		Error struct {
			Message, Type, Code string
			Param               *string
		}
		Safety *struct{}
	}
	if err := json.Unmarshal(i.GetBody(), &v); err != nil || v.Error.Code != code || v.Error.Message == "" || v.Error.Type == "" || v.Safety != nil {
		e.t.Errorf("body %s, want code %s (%v)", i.GetBody(), code, err)
	}
}

func TestEarlyBlock(t *testing.T) {
	input, output := verdict.PreInferenceGate, verdict.PostInferenceGate
	asked := []*extprocv3.ProcessingRequest{post(), reqBody(ask("hi"), true)}
	for name, c := range map[string]struct {
		messages []*extprocv3.ProcessingRequest
		trace    string
		stage    verdict.Stage
	}{
		"request blocked":    {[]*extprocv3.ProcessingRequest{post(), reqBody(ask("codename nightjar"), true)}, "I451", input},
		"with trailers":      {[]*extprocv3.ProcessingRequest{post(), reqBody(ask("codename nightjar"), false), reqTrailers()}, "I451", input},
		"response":           {append(asked, respJSON(), respBody(says("codename nightjar"), true)), "H> B>. I451", output},
		"stream, first word": {append(asked, respSSE(), respBody(roleEvent, false), respBody(event("codename"), false), respBody(event(" nightjar."), false)), "H> B>. I451", output},
		"stream at its end":  {append(asked, respSSE(), respBody(event("codename nightjar"), true)), "H> B>. I451", output},
		"at trailers":        {append(asked, respSSE(), respBody(event("codename nightjar"), false), respTrailers()), "H> B>. I451", output},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *house) {
				e := begin(t, h.Server)
				e.send(c.messages...)
				e.expectEnd(c.trace, codes.OK)
				e.expectImmediate(at(blockedBody, c.stage), "")
				h.recorder.expect(t, c.stage, verdict.Block, verdict.Weapons)
			})
		})
	}
}

// The action of a redacted request is BLOCK, with its category.
func TestRedactedRequest(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("the project heron"), true))
		e.expectEnd("I451", codes.OK)
		h.recorder.expect(t, verdict.PreInferenceGate, verdict.Block, verdict.Bioterror)
	})
}

// The verdict of a warned request is that of the stronger stage.
func TestWarned(t *testing.T) {
	for name, c := range map[string]struct {
		in, out  string
		stage    verdict.Stage
		action   verdict.Action
		category verdict.Category
	}{
		"request":  {"operation finch", "hi", verdict.PreInferenceGate, verdict.Warn, verdict.CyberAttack},
		"response": {"hi", "operation finch", verdict.PostInferenceGate, verdict.Warn, verdict.CyberAttack},
		"both":     {"operation finch", "project heron", verdict.PostInferenceGate, verdict.Redact, verdict.Bioterror},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *house) {
				e := begin(t, h.Server)
				e.send(post(), reqBody(ask(c.in), true), respJSON(), respBody(says(c.out), true))
				e.expectEnd("H> B>. H< B<.", codes.OK)
				h.recorder.expect(t, c.stage, c.action, c.category)
			})
		})
	}
}

func TestLateBlock(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("hi"), true), respSSE())
		e.send(respBody(event("one. "), false), respBody(event("codename"), false), respBody(event(" nightjar. "), false))
		e.expectEnd("H> B>. H< B< B<.", codes.OK)
		want := event("one. ") +
			`data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}` + "\n\n" +
			"data: " + at(blockedBody, verdict.PostInferenceGate) + "\n\n"
		if got := string(e.body[1]); got != want {
			t.Errorf("stream %s\nwant %s", got, want)
		}
		h.recorder.expect(t, verdict.PostInferenceGate, verdict.Block, verdict.Weapons)
	})
}

// Requests that never could be inspected. All have a verdict in the log.
func TestBadRequests(t *testing.T) {
	body := func(s string) []*extprocv3.ProcessingRequest {
		return []*extprocv3.ProcessingRequest{post(), reqBody(s, true)}
	}
	typed := func(ct string) []*extprocv3.ProcessingRequest {
		return []*extprocv3.ProcessingRequest{headersOf(false, headerMap(":method", "POST", ":path", "/v1/chat/completions", "content-type", ct))}
	}
	for name, c := range map[string]struct {
		messages []*extprocv3.ProcessingRequest
		trace    string
		code     string
	}{
		"not JSON":          {body("fox"), "I400", "invalid_json"},
		"empty":             {body(""), "I400", "invalid_json"},
		"no body":           {[]*extprocv3.ProcessingRequest{headersOf(true, post().GetRequestHeaders().GetHeaders())}, "I400", "invalid_json"},
		"trailers alone":    {[]*extprocv3.ProcessingRequest{post(), reqTrailers()}, "I400", "invalid_json"},
		"duplicate":         {body(`{"a":1,"a":2}`), "I400", "duplicate_key"},
		"not UTF-8":         {body("{\"a\":\"\xff\"}"), "I400", "invalid_utf8"},
		"deep":              {body(strings.Repeat("[", 100) + strings.Repeat("]", 100)), "I400", "too_deep"},
		"an image":          {body(`{"messages":[{"content":[{"type":"image_url"}]}]}`), "I400", "unsupported_content"},
		"too large":         {body(ask(strings.Repeat("day ", maxBody/4))), "I413", "request_too_large"},
		"declared so":       {[]*extprocv3.ProcessingRequest{post("content-length", "1048577")}, "I413", "request_too_large"},
		"gzip":              {[]*extprocv3.ProcessingRequest{post("content-encoding", "gzip")}, "I415", "unsupported_content_encoding"},
		"gzip behind":       {[]*extprocv3.ProcessingRequest{post("content-encoding", "identity", "content-encoding", "br")}, "I415", "unsupported_content_encoding"},
		"a form":            {typed("multipart/form-data; boundary=fox"), "I415", "unsupported_content_type"},
		"gRPC":              {typed("application/grpc"), "I415", "unsupported_content_type"},
		"Latin-1":           {typed("application/json; charset=iso-8859-1"), "I415", "unsupported_content_type"},
		"no type":           {[]*extprocv3.ProcessingRequest{headersOf(false, headerMap(":method", "POST", ":path", "/v1/chat/completions"))}, "I415", "unsupported_content_type"},
		"two types":         {[]*extprocv3.ProcessingRequest{post("content-type", "text/plain")}, "I415", "unsupported_content_type"},
		"upgrade":           {[]*extprocv3.ProcessingRequest{post("upgrade", "websocket")}, "I400", "upgrade_refused"},
		"cut off in a rune": {[]*extprocv3.ProcessingRequest{post(), reqBody(`{"a":"`+"\xc3", false), reqTrailers()}, "I400", "invalid_utf8"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *house) {
				e := begin(t, h.Server)
				e.send(c.messages...)
				if refusedByHeaders := len(c.messages) == 1 && name != "upgrade" && name != "no body"; refusedByHeaders {
					e.send(reqBody("{", false), reqBody("}", true))
				}
				e.expectEnd(c.trace, codes.OK)
				e.expectImmediate("", c.code)
				h.recorder.expect(t, verdict.PreInferenceGate, verdict.Block, verdict.Unavailable)
			})
		})
	}
}

// drainNow ends what runs.
func drainNow(h *house) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	h.Drain(ctx)
}

// A refused request is read to its end before it is answered, within bounds of
// size and time, and whatever else happens meanwhile.
func TestRefusedRequestIsReadToItsEnd(t *testing.T) {
	megabyte := strings.Repeat("x", 1<<20)
	for name, c := range map[string]struct {
		then  func(h *house, e *talk)
		trace string
		code  codes.Code
	}{
		"ends":     {func(_ *house, e *talk) { e.send(reqBody("x", false), reqBody("", true)) }, "I415", codes.OK},
		"trailers": {func(_ *house, e *talk) { e.send(reqBody("x", false), reqTrailers()) }, "I415", codes.OK},
		"too much": {func(_ *house, e *talk) {
			e.send(slices.Repeat([]*extprocv3.ProcessingRequest{reqBody(megabyte, false)}, maxDiscards)...)
		}, "I415", codes.OK},
		"too late":  {func(*house, *talk) { time.Sleep(requestTime + time.Second) }, "I415", codes.OK},
		"pauses":    {func(*house, *talk) { time.Sleep(maxPause + time.Millisecond) }, "I415", codes.OK},
		"shutdown":  {func(h *house, _ *talk) { drainNow(h) }, "I503", codes.OK},
		"gone":      {func(_ *house, e *talk) { close(e.in) }, "", codes.Aborted},
		"response":  {func(_ *house, e *talk) { e.send(respJSON()) }, "", codes.Internal},
		"the panic": {func(h *house, e *talk) { h.recorder.panics = true; e.send(reqBody("", true)) }, "", codes.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *house) {
				e := begin(t, h.Server)
				e.send(post("content-encoding", "gzip"), reqBody("x", false))
				e.expect("") // before the request's end
				c.then(h, e)
				e.expectEnd(c.trace, c.code)
				if n := h.observer.events[EventDeadline]; n > 0 {
					t.Error("told of a deadline: the client had its answer anyway")
				}
			})
		})
	}
}

// A reply of Envoy's own to a request that it did not show us is replaced.
func TestReplyWithoutRequest(t *testing.T) {
	for _, m := range []*extprocv3.ProcessingRequest{respJSON(), respHeaders(true)} {
		bubble(t, func(t *testing.T, h *house) {
			e := begin(t, h.Server)
			e.send(m)
			e.expectEnd("I400", codes.OK)
			e.expectImmediate("", "http_refused")
			h.recorder.expectNone(t)
		})
	}
}

// Paths that are not inspected never reach the upstream, and have no verdict.
func TestOtherPaths(t *testing.T) {
	form := func(method, path string) *extprocv3.ProcessingRequest {
		return headersOf(false, headerMap(":method", method, ":path", path, "content-type", "application/json"))
	}
	for name, m := range map[string]*extprocv3.ProcessingRequest{
		"GET of it":       get("/v1/chat/completions"),
		"unknown":         get("/v1/fox"),
		"root":            get("/"),
		"no path":         get(""),
		"not a path":      get("*"),
		"upgrade":         get("/v1/ws", "upgrade", "websocket"),
		"with a query":    form("POST", "/v1/chat/completions?x=1"),
		"with a slash":    form("POST", "/v1/chat/completions/"),
		"in capitals":     form("POST", "/V1/chat/completions"),
		"two slashes":     form("POST", "//v1/chat/completions"),
		"percent":         form("POST", "/v1/chat%2fcompletions"),
		"absolute":        form("POST", "http://x/v1/chat/completions"),
		"CONNECT":         form("CONNECT", "/v1/chat/completions"),
		"lower method":    form("post", "/v1/chat/completions"),
		"no method":       form("", "/v1/chat/completions"),
		"no headers":      headersOf(false, nil),
		"path by a value": headersOf(false, headerMap("path", "/v1/chat/completions")),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *house) {
				e := begin(t, h.Server)
				e.send(m, reqBody("{}", true)) // which is not waited for if it cannot end
				e.expectEnd("I404", codes.OK)
				e.expectImmediate("", "not_found")
				h.recorder.expectNone(t)
			})
		})
	}
}

func TestLocal(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		e.send(get("/v1/health"))
		e.expectEnd("I200", codes.OK)
		e.expectImmediate(`{"status":"ok"}`, "")
		h.recorder.expectNone(t)
		// The credential reaches the handler, which may refuse by it.
		e = begin(t, h.Server)
		e.send(get("/v1/receipts/1", "authorization", "mine"))
		e.expectEnd("I403", codes.OK)
		if string(e.immediate.GetBody()) != "mine" || sets(e.immediate.GetHeaders(), "x-request-id") != "id-2" {
			t.Errorf("%v", e.immediate)
		}
	})
}

// A value of Envoy's may stand in either of two fields.
func TestHeaderValues(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		m := post()
		for _, v := range m.GetRequestHeaders().GetHeaders().GetHeaders() {
			v.Value, v.RawValue = string(v.GetRawValue()), nil
		}
		e := begin(t, h.Server)
		e.send(m, reqBody(ask("hi"), true))
		e.expect("H> B>.")
	})
}
