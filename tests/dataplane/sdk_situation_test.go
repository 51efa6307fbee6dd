package dataplane

import (
	"net/http"
	"strings"
	"time"
)

// situation is something that can happen to a request, and what the SDKs make
// of it.
type situation struct {
	name    string // as docs/clients.md has it
	words   string // of the request
	more    map[string]any
	timeout time.Duration // of the client
	fits    func(d dialect, way string) bool
	// upstream answers. seen is closed at the first words that the program sees.
	upstream func(d dialect, way string, seen <-chan struct{}) http.HandlerFunc

	text   string   // that the program sees
	finish finish   // that the answer names
	action string   // of the verdict
	asked  int      // how often the upstream was; -1 where it may be too late to know
	raised *raising // nil if nothing is
}

// raising is what the SDKs raise, and what can be read of it.
type raising struct {
	openAIPython, anthropicPython, openAIGo, anthropicGo string

	status int    // 0: none, or that of the stream's headers
	code   string // "": the error is the SDK's own
	// attempts of each SDK; OpenAI's for Go has its own where it differs.
	attempts, openAIGoAttempts int
}

// of is the class that an SDK raises.
func (r *raising) of(sdk string) string {
	return map[string]string{
		"openai-python": r.openAIPython, "anthropic-python": r.anthropicPython, "openai-go": r.openAIGo, "anthropic-go": r.anthropicGo,
	}[sdk]
}

func (r *raising) attemptsOf(sdk string) int {
	if sdk == "openai-go" && r.openAIGoAttempts > 0 {
		return r.openAIGoAttempts
	}
	return r.attempts
}

// withStatus is an answer of ours with a status, which the SDKs for Python have
// classes of their own for, or not.
func withStatus(status, attempts int, code, openAIClass, anthropicClass string) *raising {
	return &raising{
		openAIPython: "openai." + openAIClass, anthropicPython: "anthropic." + anthropicClass, openAIGo: "*openai.Error", anthropicGo: "*anthropic.Error",
		status: status, code: code, attempts: attempts,
	}
}

func blocked() *raising {
	return withStatus(http.StatusUnavailableForLegalReasons, 1, "content_blocked", "APIStatusError", "APIStatusError")
}

// cutOff is the end of a connection that nobody could say anything on.
func cutOff() *raising {
	return &raising{
		openAIPython: "openai.APIConnectionError", anthropicPython: "httpx2.TransportError", openAIGo: brokenConnection, anthropicGo: brokenConnection, attempts: 1,
	}
}

// midStream is an error of ours at the end of a stream.
func midStream(code string) *raising {
	return &raising{
		openAIPython: "openai.APIError", anthropicPython: "anthropic.APIStatusError", openAIGo: "*ssestream.StreamError", anthropicGo: "*anthropic.Error",
		code: code, attempts: 1,
	}
}

// finish is how an answer says that it ended, in the words of its API.
type finish int

const (
	unfinished finish = iota
	finished
	filtered
	called // a tool
)

func (f finish) in(api string) string {
	switch {
	case f == unfinished || api == "embeddings" || api == "models":
		return ""
	case api == "responses":
		return []string{"", "completed", "incomplete", "completed"}[f]
	case strings.HasPrefix(api, "messages"):
		return []string{"", "end_turn", "refusal", "tool_use"}[f]
	default:
		return []string{"", "stop", "content_filter", "tool_calls"}[f]
	}
}
