package dataplane

import (
	"net/http"
	"strings"
	"testing"
)

func TestRedactJSON(t *testing.T) {
	s, m := common(t)
	token, received := m.answer(whole(`{ "choices":[ {"index":0, "message":{"content":"On p\u0072oject\nnightjar, é."},"logprobs":{"content":[{"token":"On","logprob":0}]}}, {"index":1,"message":{"content":"project nightjar"}}],"usage":{"a":1} }`))
	const want = `{ "choices":[ {"index":0, "message":{"content":"On [REDACTED], é."},"logprobs":null}, {"index":1,"message":{"content":"[REDACTED]"}}],"usage":{"a":1} }`
	g := ask(t, s.client, s.url, token, prompt("tell me of project nightjar"))
	if g.status != http.StatusOK || g.body != want {
		t.Errorf("%d: got %s\nwant %s", g.status, g.body, want)
	}
	if len(received.requests()) != 1 {
		t.Error("a category that redacts blocked on input below its threshold")
	}
	if v := s.verdict(t, g.requestID); v.Action != "REDACT" || v.RiskCategory != "CODENAME" || v.Stage != "POST_INFERENCE_GATE" {
		t.Errorf("%+v", v)
	}
}

// The same bytes come out wherever the stream is cut, at every byte.
func TestRedactStreamSplitEverywhere(t *testing.T) {
	s, m := common(t)
	in := chunk(0, role, "null") + said(0, "On pro") + said(0, "ject ") + said(0, "night") + said(0, "jar, yes.") + chunk(0, "{}", `"stop"`) + done
	want := chunk(0, role, "null") + said(0, "On [REDACTED]") + said(0, "") + said(0, "") + said(0, ", yes.") + chunk(0, "{}", `"stop"`) + done
	for i := range len(in) + 1 {
		token, _ := m.answer(pieces(in[:i], in[i:]))
		client := s.client
		if i%2 == 1 {
			client = s.client2
		}
		g := ask(t, client, s.url, token, prompt("hi", streaming))
		if g.status != http.StatusOK || g.body != want || g.err != nil {
			t.Fatalf("split at %d: %d %v\ngot  %s\nwant %s", i, g.status, g.err, g.body, want)
		}
	}
	token, _ := m.answer(bytewise(in))
	if g := ask(t, s.client, s.url, token, prompt("hi", streaming)); g.body != want {
		t.Errorf("bytewise: got %s", g.body)
	}
}

// Each choice is read by itself, however they are interleaved.
func TestRedactInterleavedChoices(t *testing.T) {
	s, m := common(t)
	in := said(0, "project") + said(1, "project") + said(2, "x ") + said(1, " nightjar") + said(0, " night") + said(2, "nightjar") + said(0, "ingale") + done
	want := said(0, "project") + said(1, "[REDACTED]") + said(2, "x ") + said(1, "") + said(0, " night") + said(2, "nightjar") + said(0, "ingale") + done
	token, _ := m.answer(bytewise(in))
	if g := ask(t, s.client2, s.url, token, prompt("hi", streaming, `"n":3`)); g.body != want {
		t.Errorf("got  %s\nwant %s", g.body, want)
	}
}

// A whole response that is held to the end by policy is released or not as one.
func TestStreamingModeFull(t *testing.T) {
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	s := start(t, "--policy", "testdata/full.toml", "--upstream", m.srv.URL)
	token, _ := m.answer(pieces(streamed("long before, ", "a purple giraffe")))
	wantBlocked(t, s, ask(t, s.client, s.url, token, prompt("hi", streaming)), "POST_INFERENCE_GATE", "FORBIDDEN")
	token, _ = m.answer(pieces(streamed("project ", "nightjar")))
	g := ask(t, s.client, s.url, token, prompt("hi", streaming))
	if want := strings.Replace(streamed("[REDACTED]", "X"), `"X"`, `""`, 1); g.body != want {
		t.Errorf("got  %s\nwant %s", g.body, want)
	}
}
