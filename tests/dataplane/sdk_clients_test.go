package dataplane

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// job is one thing to ask of a sidecar with an SDK.
type job struct {
	ctx     context.Context
	sidecar *sidecar
	token   string
	apiKey  bool          // the token goes into x-api-key
	api     string        // the name of a dialect
	way     string        // whole, stream, helper (of streams) or raw (whole, with headers)
	words   string        // of the request
	timeout time.Duration // of the client, its default if zero
	more    map[string]any
	seen    func() // called at the first words of a stream
}

// outcome is what a program that uses the SDK sees.
type outcome struct {
	Text   string // words of the answer, until the error if there is one
	Finish string // how the answer ended, by itself
	Final  string // words of the whole that the SDK made of a stream

	Raised   string // the class of the exception, the type of the error
	Status   int
	Code     string
	Type     string
	Message  string
	Attempts int // requests that were sent until the error

	RequestID string            `json:"request_id"` // of x-request-id
	Header    map[string]string // in lower case
	Seen      string            `json:"seen_all"` // everything, as text
}

// client is an SDK and what the tests do with it.
type client struct {
	sdk  string // vendor and language
	name string // sdk, or a variant of it
	ways func(api string) []string
	do   func(j job) outcome
}

func (c client) speaks(api string) bool {
	return strings.HasPrefix(c.sdk, "anthropic") == strings.HasPrefix(api, "messages")
}

// clients are the SDKs of both vendors in both languages.
func clients(t *testing.T) []client {
	t.Helper()
	py := startPython(t)
	sync := func(j job) outcome { return py.do(j, false) }
	async := func(j job) outcome { return py.do(j, true) }
	return []client{
		{"openai-go", "openai-go", goWays, openAIGo},
		{"anthropic-go", "anthropic-go", goWays, anthropicGo},
		{"openai-python", "openai-python", pythonWays, sync},
		{"openai-python", "openai-python async", pythonWays, async},
		{"anthropic-python", "anthropic-python", pythonWays, sync},
		{"anthropic-python", "anthropic-python async", pythonWays, async},
	}
}

func goWays(api string) []string {
	if api == "embeddings" || api == "models" {
		return []string{"whole"}
	}
	return []string{"whole", "stream"}
}

func pythonWays(api string) []string {
	ways := goWays(api)
	if len(ways) > 1 && api != "completions" {
		ways = append(ways, "helper")
	}
	return ways
}

// sdkDialects are all that the SDKs speak.
func sdkDialects() []dialect {
	all := dialects()
	beta := all[slices.IndexFunc(all, func(d dialect) bool { return d.name == "messages" })]
	beta.name, beta.path = "messages_beta", "/v1/messages?beta=true"
	return append(all, beta,
		dialect{
			name: "embeddings", path: "/v1/embeddings",
			answer: func(string) string {
				return `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.25,-0.5]}],"model":"m","usage":{"prompt_tokens":1,"total_tokens":1}}`
			},
		},
		dialect{
			name: "models", path: "/v1/models",
			answer: func(words string) string {
				return `{"object":"list","data":[{"id":` + quoted(words) + `,"object":"model","created":1,"owned_by":"o"}]}`
			},
		})
}

// asked is a job that was done.
type asked struct {
	client   client
	dialect  dialect
	job      job
	received *reception
	outcome  outcome
}

// askAll has every client ask in every way that fits the situation and returns
// when all have come to an end. With allSeen they are all under way at once, and
// it is called when each program has seen the first words of its stream.
func askAll(t *testing.T, clients []client, s *sidecar, m *model, it situation, allSeen func()) []*asked {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var all []*asked
	var unseen atomic.Int64
	for _, d := range sdkDialects() {
		for _, c := range clients {
			if !c.speaks(d.name) {
				continue
			}
			for _, way := range c.ways(d.name) {
				if !it.fits(d, way) {
					continue
				}
				seen := make(chan struct{})
				token, received := m.answer(it.upstream(d, way, seen))
				all = append(all, &asked{client: c, dialect: d, received: received, job: job{
					ctx: ctx, sidecar: s, token: token, api: d.name, way: way, words: it.words, timeout: it.timeout, more: it.more,
					seen: sync.OnceFunc(func() {
						close(seen)
						if unseen.Add(-1) == 0 && allSeen != nil {
							allSeen()
						}
					}),
				}})
			}
		}
	}
	if len(all) == 0 {
		t.Fatal("nobody asks")
	}
	unseen.Store(int64(len(all)))
	atOnce := 24
	if allSeen != nil {
		atOnce = len(all)
	}
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for _, a := range all {
		wg.Go(func() {
			slots <- struct{}{}
			a.outcome = a.client.do(a.job)
			<-slots
		})
	}
	wg.Wait()
	return all
}
