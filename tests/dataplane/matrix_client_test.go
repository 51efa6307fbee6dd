package dataplane

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// Words of the exchanges. The last two mark what must not get by.
const (
	clearedWords   = "Once upon a time, "
	moreWords      = "there was a day. "
	forbiddenWords = "a purple giraffe "
	wordsAfter     = "said xyzzy."
)

// hangs is when a client is taken to hang.
const hangs = 20 * time.Second

// trip is one request of the matrix, on a connection of its own.
type trip struct {
	proto, when string
	whole       bool // the answer is one JSON body
	token       string
	fault       string // for a processor that reads it
	script      *script
	asked       *requests // counts the requests, if it is set
	client      *http.Client
	base        string

	body    [2]string     // of the request, in two halves
	goOn    chan struct{} // closed: the second half may go, and the upstream too
	cleared string        // what may reach the client
	mark    int           // bytes of the answer after which reached is closed
	reached chan struct{}
	done    chan struct{}

	pause  time.Duration // of its reading, after the first of the answer
	mu     sync.Mutex
	saw    seen
	cancel context.CancelFunc
	left   bool
}

// seen is all that a client sees.
type seen struct {
	status int
	header http.Header
	infos  []http.Header // of informational responses
	body   string
	err    error
	at     time.Time
}

func newTrip(base, proto, when string) *trip {
	// Which key an Envoy has while its sidecar restarts is not the matter here.
	config := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}
	if proto == "h2" {
		config.NextProtos = []string{"h2"}
	}
	return &trip{
		proto: proto, when: when, base: base,
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: proto == "h2"}},
		body:   [2]string{prompt("hi", streaming), ""},
		goOn:   make(chan struct{}), reached: make(chan struct{}), done: make(chan struct{}),
	}
}

// forbid gives the trip a request that must not reach the upstream. Its first
// half is long enough not to wait in a buffer of the client's.
func (tr *trip) forbid() {
	all := prompt(strings.Repeat("fine words, ", 1000)+forbiddenWords+wordsAfter, streaming)
	n := strings.Index(all, forbiddenWords)
	tr.body = [2]string{all[:n], all[n:]}
}

// warm opens the connection, so that a fault meets it before a request does.
func (tr *trip) warm(t *testing.T) {
	t.Helper()
	resp, err := tr.client.Get(tr.base + "/v1/health")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}

// start sends the request and reads the answer.
func (tr *trip) start() {
	go func() {
		defer close(tr.done)
		got := tr.send()
		got.at = time.Now()
		tr.mu.Lock()
		tr.saw = got
		tr.mu.Unlock()
	}()
}

func (tr *trip) send() (got seen) {
	ctx, cancel := context.WithTimeout(context.Background(), hangs)
	defer cancel()
	tr.mu.Lock()
	if tr.cancel = cancel; tr.left {
		cancel()
	}
	tr.mu.Unlock()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		got.infos = append(got.infos, http.Header(h))
		return nil
	}})
	r, w := io.Pipe()
	go func() {
		_, err := io.WriteString(w, tr.body[0])
		if err == nil && tr.body[1] != "" {
			select {
			case <-tr.goOn:
			case <-ctx.Done():
			}
			_, err = io.WriteString(w, tr.body[1])
		}
		_ = w.CloseWithError(err)
	}()
	defer func() { _ = r.Close() }()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, tr.base+chatPath, r)
	if err != nil {
		return seen{err: err}
	}
	req.ContentLength = int64(len(tr.body[0]) + len(tr.body[1]))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", tr.token)
	if tr.fault != "" {
		req.Header.Set("X-Fault", tr.fault)
	}
	if tr.asked != nil {
		tr.asked.all.Add(1)
		defer func() {
			if got.alone() {
				tr.asked.alone.Add(1)
			}
		}()
	}
	resp, err := tr.client.Do(req)
	if err != nil {
		got.err = err
		return got
	}
	defer func() { _ = resp.Body.Close() }()
	got.status, got.header = resp.StatusCode, resp.Header
	var body strings.Builder
	buf := make([]byte, 32<<10)
	for {
		n, err := resp.Body.Read(buf)
		body.Write(buf[:n])
		if tr.pause > 0 {
			time.Sleep(tr.pause)
			tr.pause = 0
		}
		if tr.mark > 0 && body.Len() >= tr.mark {
			close(tr.reached)
			tr.mark = 0
		}
		if err != nil {
			got.body = body.String()
			if !errors.Is(err, io.EOF) {
				got.err = err
			}
			return got
		}
	}
}

// wait returns what the client saw.
func (tr *trip) wait(t *testing.T) seen {
	t.Helper()
	select {
	case <-tr.done:
	case <-time.After(hangs + 5*time.Second):
		t.Fatalf("%s, %s: the client did not end", tr.proto, tr.when)
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.saw
}

// alone reports whether Envoy made up the answer: its ids have hyphens, and of
// a request that it did not pass on it can say only that it was not checked.
func (s seen) alone() bool {
	return s.status == http.StatusServiceUnavailable && strings.Contains(s.header.Get("x-request-id"), "-") && strings.Contains(s.body, `"code":"not_checked"`)
}

// words puts what a client saw into the words of the table.
func (s seen) words() string {
	code := ""
	if i := strings.LastIndex(s.body, `"code":"`); i >= 0 {
		code, _, _ = strings.Cut(s.body[i+len(`"code":"`):], `"`)
	}
	switch {
	case s.status == 0:
		return "no answer: " + transportError(s.err)
	case s.err != nil:
		return fmt.Sprintf("%d, then %s", s.status, transportError(s.err))
	case s.status == http.StatusOK && code != "":
		return "200, ended with " + code
	case s.status == http.StatusOK:
		return "200, whole"
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", s.status, code))
}

var streamError = regexp.MustCompile(`(?:stream error: stream ID \d+; |RST_STREAM, )(\w+)`)

func transportError(err error) string {
	switch text := err.Error(); {
	case errors.Is(err, context.Canceled):
		return "nothing: it left"
	case errors.Is(err, context.DeadlineExceeded):
		return "nothing (its own timeout)"
	case streamError.MatchString(text):
		return "stream reset (" + streamError.FindStringSubmatch(text)[1] + ")"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), strings.Contains(text, "reset by peer"),
		strings.Contains(text, "server closed"), strings.Contains(text, "broken pipe"), strings.Contains(text, "connection lost"),
		strings.Contains(text, "GOAWAY"), strings.Contains(text, "refused"):
		return "connection closed"
	}
	return strings.ReplaceAll(err.Error(), "|", "/")
}

// ending is how the contract ends a stream that has started.
var ending = regexp.MustCompile(`^(data: \{[^\n]*"delta":\{\},"finish_reason":"content_filter"\}\]\}\n\n)?data: \{"error":\{[^\n]*\}\n\n$`)

// uninspected counts the bytes that a client saw beyond what was cleared, its
// own errors and endings apart.
func (s seen) uninspected(cleared string) int {
	all := s.body
	for _, h := range append(s.infos, s.header) {
		all += fmt.Sprint(h)
	}
	if marked := markedBytes(all); marked > 0 {
		return marked
	}
	if len(s.infos) > 0 {
		return len(fmt.Sprint(s.infos)) // none is ever to pass
	}
	if strings.HasPrefix(cleared, s.body) {
		return 0
	}
	if s.status != http.StatusOK {
		if refusalBody.MatchString(s.body) {
			return 0
		}
		return len(s.body)
	}
	n := 0
	for n < len(cleared) && n < len(s.body) && cleared[n] == s.body[n] {
		n++
	}
	n = strings.LastIndex(s.body[:n], "\n\n")
	if n < 0 || !ending.MatchString(s.body[n+2:]) {
		return len(s.body) - max(n, 0)
	}
	return 0
}

var refusalBody = regexp.MustCompile(`^\{"error":\{"message":"[^"]+","type":"\w+","code":"\w+","param":null\}(,"safety":\{[^{}]*\})?\}$`)

// markedBytes counts what follows the first word of the forbidden ones.
func markedBytes(s string) int {
	low := strings.ToLower(s)
	for _, word := range []string{"purple", "giraffe", "xyzzy"} {
		if i := strings.Index(low, word); i >= 0 {
			return len(s) - i
		}
	}
	return 0
}
