package dataplane

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

const forbidden = "a purple giraffe"

// each runs a test for every API, over both protocols.
func each(t *testing.T, test func(t *testing.T, d dialect, s *sidecar, m *model, c *http.Client)) {
	t.Helper()
	s, m := common(t)
	for _, d := range dialects() {
		for proto, c := range map[string]*http.Client{"h1": s.client, "h2": s.client2} {
			t.Run(d.name+" "+proto, func(t *testing.T) {
				t.Parallel()
				test(t, d, s, m, c)
			})
		}
	}
}

func (d dialect) ask(t testing.TB, c *http.Client, base, token, body string) got {
	t.Helper()
	return send(t, c, request(t, http.MethodPost, base+d.path, token, body))
}

// unwrap checks that an error is in the form of the API, and gives it that of
// OpenAI's.
func (d dialect) unwrap(t testing.TB, g got) got {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(g.body), &members); err != nil {
		t.Fatalf("%v: %s", err, g.body)
	}
	own := map[string]string{}
	if d.name == "messages" {
		own = map[string]string{"type": `"error"`, "request_id": quoted(g.requestID)}
		if id := g.header.Get("request-id"); id != g.requestID {
			t.Errorf("request-id %q, want %q", id, g.requestID)
		}
	}
	for name, want := range own {
		if string(members[name]) != want {
			t.Errorf("%s is %s, want %s", name, members[name], want)
		}
		delete(members, name)
	}
	b, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	g.body = string(b)
	return g
}

func TestSurfacesPass(t *testing.T) {
	each(t, func(t *testing.T, d dialect, s *sidecar, m *model, c *http.Client) {
		token, received := m.answer(whole(d.answer("fine")))
		g := d.ask(t, c, s.url, token, d.request("hi"))
		if g.status != http.StatusOK || g.body != d.answer("fine") || received.requests()[0] != d.request("hi") {
			t.Errorf("%d %s", g.status, g.body)
		}
		if v := s.verdict(t, g.requestID); v.Action != "ALLOW" || v.API != d.name {
			t.Errorf("%+v", v)
		}
		if want := d.name == "messages"; (g.header.Get("request-id") == g.requestID) != want {
			t.Errorf("request-id %q", g.header.Get("request-id"))
		}
		token, _ = m.answer(bytewise(d.stream("fi", "ne", " day")))
		g = d.ask(t, c, s.url, token, d.request("hi", streaming))
		if g.status != http.StatusOK || g.body != d.stream("fi", "ne", " day") || g.err != nil {
			t.Errorf("%d %v %s", g.status, g.err, g.body)
		}
		if v := s.verdict(t, g.requestID); v.Action != "ALLOW" {
			t.Errorf("%+v", v)
		}
	})
}

func TestSurfacesWarn(t *testing.T) {
	each(t, func(t *testing.T, d dialect, s *sidecar, m *model, c *http.Client) {
		token, _ := m.answer(whole(d.answer("fine")))
		g := d.ask(t, c, s.url, token, d.request("a delicate matter"))
		if v := s.verdict(t, g.requestID); g.status != http.StatusOK || v.Action != "WARN" || v.RiskCategory != "DELICATE" || v.Stage != "PRE_INFERENCE_GATE" {
			t.Errorf("%d, %+v", g.status, v)
		}
	})
}

func TestSurfacesBlockInput(t *testing.T) {
	each(t, func(t *testing.T, d dialect, s *sidecar, m *model, c *http.Client) {
		token, received := m.answer(whole(d.answer("fine")))
		for _, body := range []string{
			d.request(forbidden), d.request("hi", `"later":{"deep":["a purple giraffe"]}`), d.request(forbidden, streaming),
		} {
			g := d.unwrap(t, d.ask(t, c, s.url, token, body))
			wantBlocked(t, s, g, "PRE_INFERENCE_GATE", "FORBIDDEN")
		}
		if n := len(received.requests()); n != 0 {
			t.Errorf("%d requests reached the upstream", n)
		}
	})
}

func TestSurfacesBlockOutput(t *testing.T) {
	each(t, func(t *testing.T, d dialect, s *sidecar, m *model, c *http.Client) {
		for name, h := range map[string]http.HandlerFunc{
			"whole":    whole(d.answer("Look, " + forbidden)),
			"early":    pieces(d.stream("purple", " gir", "affe")),
			"bytewise": bytewise(d.stream("purple", " gir", "affe")),
		} {
			token, _ := m.answer(h)
			g := d.unwrap(t, d.ask(t, c, s.url, token, d.request("hi", streaming)))
			wantBlocked(t, s, g, "POST_INFERENCE_GATE", "FORBIDDEN")
			if strings.Contains(g.body, "giraffe") {
				t.Errorf("%s: %s", name, g.body)
			}
		}
	})
}

func TestSurfacesBlockInMidStream(t *testing.T) {
	each(t, func(t *testing.T, d dialect, s *sidecar, m *model, c *http.Client) {
		events := d.events("Once upon a time, ", "a purple", " giraffe", " came")
		n := d.begun() + 1
		before, after := strings.Join(events[:n], ""), strings.Join(events[n:], "")
		seen := make(chan struct{})
		token, _ := m.answer(paused(before, seen, after))
		r := open(t, c, request(t, http.MethodPost, s.url+d.path, token, d.request("hi", streaming)))
		r.until(t, before)
		close(seen)
		g := r.rest()
		object, ok := strings.CutPrefix(g.body, d.ended)
		if !ok || !strings.HasSuffix(object, d.tail) || g.err != nil {
			t.Fatalf("%v: got  %s\nwant %s", g.err, g.body, d.ended)
		}
		g.body = strings.TrimSuffix(object, d.tail)
		if d.name == "responses" {
			g.body = withoutEventForm(t, g.body)
		}
		wantRefusal(t, s, d.unwrap(t, g), "POST_INFERENCE_GATE", "FORBIDDEN")
	})
}

// withoutEventForm takes the members of the reference's error event out of one.
func withoutEventForm(t testing.TB, body string) string {
	t.Helper()
	const front = `{"type":"error","sequence_number":6,"code":"content_blocked","message":"This request was blocked by the safety policy.","param":null,`
	rest, ok := strings.CutPrefix(body, front)
	if !ok {
		t.Errorf("error event %s", body)
	}
	return "{" + rest
}

func TestSurfacesRedact(t *testing.T) {
	each(t, func(t *testing.T, d dialect, s *sidecar, m *model, c *http.Client) {
		const words, want = "Ask about project nightjar today", "Ask about [REDACTED] today"
		token, _ := m.answer(whole(d.answer(words)))
		if g := d.ask(t, c, s.url, token, d.request("hi")); g.body != d.answer(want) {
			t.Errorf("%d %s", g.status, g.body)
		}
		token, _ = m.answer(bytewise(d.stream("Ask about pro", "ject night", "jar", " today")))
		g := d.ask(t, c, s.url, token, d.request("hi", streaming))
		if wanted := d.stream("Ask about [REDACTED]", "", "", " today"); g.body != wanted {
			t.Errorf("got  %s\nwant %s", g.body, wanted)
		}
		if v := s.verdict(t, g.requestID); v.Action != "REDACT" || v.RiskCategory != "CODENAME" {
			t.Errorf("%+v", v)
		}
	})
}

// What a model's server says in plain text is no answer in the API's form.
func TestSurfacesUpstreamErrors(t *testing.T) {
	each(t, func(t *testing.T, d dialect, s *sidecar, m *model, c *http.Client) {
		token, _ := m.answer(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Internal Server Error: "+forbidden, http.StatusInternalServerError)
		})
		g := d.unwrap(t, d.ask(t, c, s.url, token, d.request("hi")))
		if r := parseRefusal(t, g.body); g.status != http.StatusBadGateway || r.Error.Code != "upstream_failed" {
			t.Errorf("plain text: %d %s", g.status, g.body)
		}
		const told = `{"error":{"message":"max_tokens is too large","type":"invalid_request_error","code":400}}`
		token, _ = m.answer(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, told)
		})
		if g := d.ask(t, c, s.url, token, d.request("hi")); g.status != http.StatusBadRequest || g.body != told {
			t.Errorf("JSON: %d %s", g.status, g.body)
		}
	})
}

func TestEmbeddings(t *testing.T) {
	s, m := common(t)
	d := dialect{name: "embeddings", path: "/v1/embeddings"}
	const vectors = `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.25,-0.5]}],"model":"m","usage":{"prompt_tokens":1,"total_tokens":1}}`
	token, received := m.answer(whole(vectors))
	if g := d.ask(t, s.client, s.url, token, `{"model":"m","input":["hi","you"]}`); g.status != http.StatusOK || g.body != vectors || s.verdict(t, g.requestID).API != "embeddings" {
		t.Errorf("%d %s", g.status, g.body)
	}
	wantBlocked(t, s, d.ask(t, s.client2, s.url, token, `{"input":["hi","a purple giraffe"]}`), "PRE_INFERENCE_GATE", "FORBIDDEN")
	if g := d.ask(t, s.client2, s.url, token, `{"input":[[1,2]]}`); g.status != http.StatusBadRequest || parseRefusal(t, g.body).Error.Code != "unsupported_content" {
		t.Errorf("%d %s", g.status, g.body)
	}
	if n := len(received.requests()); n != 1 {
		t.Errorf("%d requests reached the upstream", n)
	}
	token, _ = m.answer(pieces(streamed("hi")))
	if g := d.ask(t, s.client, s.url, token, `{"input":"hi"}`); g.status != http.StatusBadGateway {
		t.Errorf("a stream: %d %s", g.status, g.body)
	}
}

// The list of models is read, but has no verdict unless it is blocked.
func TestModels(t *testing.T) {
	s, m := common(t)
	ask := func(c *http.Client, token, body string) got {
		return send(t, c, request(t, http.MethodGet, s.url+"/v1/models", token, body))
	}
	const list = `{"object":"list","data":[{"id":"m","object":"model"}]}`
	token, received := m.answer(whole(list))
	for _, c := range []*http.Client{s.client, s.client2} {
		if g := ask(c, token, ""); g.status != http.StatusOK || g.body != list || len(s.verdicts(g.requestID)) != 0 {
			t.Errorf("%d %s, verdicts %v", g.status, g.body, s.verdicts(g.requestID))
		}
		if g := ask(c, token, "purple giraffe"); g.status != http.StatusBadRequest || parseRefusal(t, g.body).Error.Code != "unexpected_body" {
			t.Errorf("with a body: %d %s", g.status, g.body)
		}
	}
	if n := len(received.requests()); n != 2 {
		t.Errorf("%d requests reached the upstream", n)
	}
	token, _ = m.answer(whole(`{"data":[{"id":"purple giraffe"}]}`))
	wantBlocked(t, s, ask(s.client, token, ""), "POST_INFERENCE_GATE", "FORBIDDEN")
}

// Anthropic's beta clients add a query string, which is allowed there alone.
func TestQueryStrings(t *testing.T) {
	s, m := common(t)
	for _, d := range dialects() {
		for _, query := range []string{"?beta=true", "?beta=false", "?beta=true&beta=true", "?beta=true&x", "?beta=%74rue", "?", "?Beta=true"} {
			token, received := m.answer(whole(d.answer("fine")))
			g := send(t, s.client, request(t, http.MethodPost, s.url+d.path+query, token, d.request("hi")))
			status, sent := http.StatusNotFound, 0
			if d.name == "messages" && query == "?beta=true" {
				status, sent = http.StatusOK, 1
			}
			if g.status != status || len(received.requests()) != sent {
				t.Errorf("%s%s: %d, %d requests reached the upstream", d.path, query, g.status, len(received.requests()))
			}
			if sent == 1 && received.targets()[0] != d.path+query {
				t.Errorf("the upstream was asked for %q", received.targets())
			}
		}
	}
}

// What a policy lets pass unread passes, and only that.
func TestUnreadByPolicy(t *testing.T) {
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	s := start(t, "--policy", "testdata/unread.toml", "--upstream", m.srv.URL)
	const image = `{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}`
	content := func(part string) string { return fmt.Sprintf(`{"messages":[{"role":"user","content":[%s]}]}`, part) }
	for body, status := range map[string]int{
		content(image): http.StatusOK,
		content(image + `,{"type":"text","text":"purple giraffe"}`):                    http.StatusUnavailableForLegalReasons,
		content(`{"type":"image_url","image_url":{"url":"https://example.invalid/"}}`): http.StatusBadRequest,
		content(`{"type":"input_audio","input_audio":{"data":"AAAA"}}`):                http.StatusBadRequest,
	} {
		token, received := m.answer(whole(completion("fine")))
		g := ask(t, s.client, s.url, token, body)
		if g.status != status || (len(received.requests()) == 1) != (status == http.StatusOK) {
			t.Errorf("%s: %d %s", body, g.status, g.body)
		}
	}
	d := dialect{path: "/v1/responses"}
	token, received := m.answer(whole(responseObject("completed", "fine")))
	if g := d.ask(t, s.client, s.url, token, `{"input":"hi","previous_response_id":"resp_0"}`); g.status != http.StatusOK || len(received.requests()) != 1 {
		t.Errorf("a stored response: %d %s", g.status, g.body)
	}
}

// Where the policy holds streams to their end, a late block is a status of its own
// for every API, and a redaction takes the words out of all of it.
func TestSurfacesHeldWhole(t *testing.T) {
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	s := start(t, "--policy", "testdata/full.toml", "--upstream", m.srv.URL)
	for _, d := range dialects() {
		token, _ := m.answer(bytewise(d.stream("Once upon a time, ", "a purple", " giraffe", " came")))
		g := d.unwrap(t, d.ask(t, s.client2, s.url, token, d.request("hi", streaming)))
		wantBlocked(t, s, g, "POST_INFERENCE_GATE", "FORBIDDEN")
		token, _ = m.answer(bytewise(d.stream("of project", " nightjar", " only")))
		if g := d.ask(t, s.client, s.url, token, d.request("hi", streaming)); g.body != d.stream("of [REDACTED]", "", " only") || g.err != nil {
			t.Errorf("%s: %d %v %s", d.name, g.status, g.err, g.body)
		}
	}
}
