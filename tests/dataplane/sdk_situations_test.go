package dataplane

import (
	"net/http"
	"strings"
	"time"
)

// situations are those of a sidecar that has nothing else to do.
func situations() []situation {
	return []situation{
		{
			name: "allowed", words: "hi", fits: anyWay, upstream: saying("fi", "ne"),
			text: "fine", finish: finished, action: "ALLOW", asked: 1,
		},
		{
			name: "warned of", words: "a delicate matter", fits: prompted, upstream: saying("fi", "ne"),
			text: "fine", finish: finished, action: "WARN", asked: 1,
		},
		{
			name: "redacted", words: "hi", fits: speaks, upstream: saying("Ask about pro", "ject night", "jar", " today"),
			text: "Ask about [REDACTED] today", finish: finished, action: "REDACT", asked: 1,
		},
		{
			name: "redacted in a tool call", words: "hi", fits: callsTools, upstream: inCall(saying("Ask about pro", "ject night", "jar", " today")),
			text: inTheCall + `Ask about [REDACTED] today"}`, finish: called, action: "REDACT", asked: 1,
		},
		{
			name: "the request is blocked", words: forbidden, fits: prompted, upstream: saying("fine"),
			action: "BLOCK", raised: blocked(),
		},
		{
			name: "the answer is blocked before its first words are out", words: "hi", fits: hasWords, upstream: saying("purple", " giraffe"),
			action: "BLOCK", asked: 1, raised: blocked(),
		},
		{
			name: "a stream is blocked behind its first words", words: "hi", fits: wantsStream, upstream: pausing(once, "a purple", " giraffe", " came"),
			text: once, finish: filtered, action: "BLOCK", asked: 1, raised: midStream("content_blocked"),
		},
		{
			name: "a stream is blocked within a tool call", words: "hi", fits: callsInStream, upstream: inCall(pausing(once, "a purple", " giraffe", " came")),
			text: inTheCall + once, finish: filtered, action: "BLOCK", asked: 1, raised: midStream("content_blocked"),
		},
		{
			name: "one of two choices is blocked in a stream", words: "hi", more: map[string]any{"n": 2}, fits: bothChoose,
			upstream: func(_ dialect, _ string, seen <-chan struct{}) http.HandlerFunc {
				return paused(said(0, once)+said(1, "Well, "), seen, said(1, forbidden+" came"), done)
			},
			text: once + "Well, ", finish: filtered, action: "BLOCK", asked: 1, raised: midStream("content_blocked"),
		},
		{
			name: "one of two choices is blocked", words: "hi", more: map[string]any{"n": 2}, fits: func(d dialect, w string) bool { return isChat(d, w) && !wantsStream(d, w) },
			upstream: handling(whole(completion("fine", forbidden))),
			action:   "BLOCK", asked: 1, raised: blocked(),
		},
		{
			name: "the model server fails", words: "hi", fits: anyWay,
			upstream: handling(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, forbidden, http.StatusInternalServerError) }),
			action:   "BLOCK", asked: 3, raised: withStatus(http.StatusBadGateway, 3, "upstream_failed", "InternalServerError", "InternalServerError"),
		},
		{
			name: "the model server breaks off a stream", words: "hi", fits: wantsStream,
			upstream: func(d dialect, way string, seen <-chan struct{}) http.HandlerFunc {
				return func(w http.ResponseWriter, r *http.Request) {
					events := d.events(once)
					paused(strings.Join(events[:d.begun()+1], ""), seen)(w, r)
					panic(http.ErrAbortHandler)
				}
			},
			text: once, asked: 1, raised: cutOff(),
		},
		{
			name: "the client's own timeout, before the answer", words: "hi", timeout: time.Second, fits: anyWay, upstream: handling(silent),
			asked: -1, raised: &raising{
				openAIPython: "openai.APITimeoutError", anthropicPython: "anthropic.APITimeoutError",
				openAIGo: "context.DeadlineExceeded", anthropicGo: "context.DeadlineExceeded", attempts: 3, openAIGoAttempts: 1,
			},
		},
		{
			name: "the client's own timeout, in a stream", words: "hi", timeout: 5 * time.Second, fits: wantsStream,
			upstream: func(d dialect, way string, _ <-chan struct{}) http.HandlerFunc {
				return pausing(once, "and")(d, way, nil)
			},
			text: once, asked: 1, raised: &raising{
				openAIPython: "openai.APITimeoutError", anthropicPython: "httpx2.TimeoutException",
				openAIGo: "context.DeadlineExceeded", anthropicGo: "context.DeadlineExceeded", attempts: 1,
			},
		},
	}
}

// notChecked is what happens while verdicts cannot be recorded. The list of
// models has none.
func notChecked() situation {
	return situation{
		name: "the request cannot be checked", words: "hi", fits: prompted, upstream: saying("fine"),
		raised: withStatus(http.StatusServiceUnavailable, 3, "not_checked", "InternalServerError", "ServiceUnavailableError"),
	}
}

// tooSlow is what happens with a sidecar that waits for the upstream no longer
// than a client.
func tooSlow() situation {
	return situation{
		name: "the model server is too slow", words: "hi", fits: anyWay, upstream: handling(silent),
		action: "BLOCK", asked: -1, raised: withStatus(http.StatusGatewayTimeout, 3, "upstream_timeout", "InternalServerError", "GatewayTimeoutError"),
	}
}

// killed is what happens when the sidecar dies. The rest of the stream is sent
// to nobody, once it is dead.
func killed(dead <-chan struct{}) situation {
	return situation{
		name: "the sidecar dies in a stream", words: "hi", fits: wantsStream,
		upstream: func(d dialect, way string, _ <-chan struct{}) http.HandlerFunc {
			return pausing(once, "a purple", " giraffe")(d, way, dead)
		},
		text: once, asked: 1, raised: cutOff(),
	}
}

func anyWay(dialect, string) bool            { return true }
func wantsStream(d dialect, way string) bool { return way == "stream" || way == "helper" }
func speaks(d dialect, _ string) bool        { return d.request != nil }
func prompted(d dialect, _ string) bool      { return d.name != "models" }
func hasWords(d dialect, _ string) bool      { return d.name != "embeddings" }
func isChat(d dialect, _ string) bool        { return d.name == "chat_completions" }
func bothChoose(d dialect, w string) bool    { return isChat(d, w) && wantsStream(d, w) }
func callsInStream(d dialect, w string) bool {
	return callsTools(d, w) && wantsStream(d, w)
}

// saying answers with the given words in whichever way was asked for.
func saying(words ...string) func(d dialect, way string, _ <-chan struct{}) http.HandlerFunc {
	return func(d dialect, way string, _ <-chan struct{}) http.HandlerFunc {
		if wantsStream(d, way) {
			return pieces(d.events(words...)...)
		}
		return whole(d.answer(strings.Join(words, "")))
	}
}

// pausing streams its first words, and the rest once they have been seen.
func pausing(words ...string) func(d dialect, _ string, seen <-chan struct{}) http.HandlerFunc {
	return func(d dialect, _ string, seen <-chan struct{}) http.HandlerFunc {
		events := d.events(words...)
		n := d.begun() + 1
		return paused(strings.Join(events[:n], ""), seen, events[n:]...)
	}
}

// inCall is the upstream of a model that calls a tool.
func inCall(upstream func(dialect, string, <-chan struct{}) http.HandlerFunc) func(dialect, string, <-chan struct{}) http.HandlerFunc {
	return func(d dialect, way string, seen <-chan struct{}) http.HandlerFunc {
		return upstream(calling(d), way, seen)
	}
}

// handling answers every request alike.
func handling(h http.HandlerFunc) func(dialect, string, <-chan struct{}) http.HandlerFunc {
	return func(dialect, string, <-chan struct{}) http.HandlerFunc { return h }
}

// silent does not answer.
func silent(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

const (
	once      = "Once upon a time, "
	inTheCall = `{"q":"`
)
