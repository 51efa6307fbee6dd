package dataplane

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// recorder is an upstream that records each byte it receives. It answers one
// request a connection, so what a connection carried is one request or a fault.
type recorder struct {
	l  net.Listener
	mu sync.Mutex
	// arrived is what came, a text a connection.
	arrived []*bytes.Buffer
	answers map[string]string // by token
}

func newRecorder(t testing.TB) *recorder {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{l: l, answers: make(map[string]string)}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { r.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return r
}

func (r *recorder) address() string { return r.l.Addr().String() }

// program has a token's request answered with these bytes.
func (r *recorder) program(token, answer string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers["Bearer "+token] = answer
}

func (r *recorder) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	text := new(bytes.Buffer)
	r.mu.Lock()
	r.arrived = append(r.arrived, text)
	r.mu.Unlock()
	_ = conn.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(io.TeeReader(conn, locked{&r.mu, text}))
	req, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return
	}
	r.mu.Lock()
	answer, ok := r.answers[req.Header.Get("Authorization")]
	r.mu.Unlock()
	if !ok {
		answer = reply("200 OK", "Content-Type: application/json\r\n", fine)
	}
	answer, stays := strings.CutPrefix(strings.TrimPrefix(answer, nothing), stay)
	if _, err := io.WriteString(conn, strings.ReplaceAll(answer, stay, "")); err != nil {
		return
	}
	if c, ok := conn.(*net.TCPConn); ok && !stays {
		_ = c.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, in) // whatever else comes is recorded
}

const (
	// nothing is an answer of no byte.
	nothing = "\x00nothing\x00"
	// stay begins an answer after which the connection is left for Envoy to use
	// again, which it must not.
	stay = "\x00stay\x00"
)

// reply is an answer with a content-length.
func reply(status, header, body string) string {
	return "HTTP/1.1 " + status + "\r\n" + header + "Content-Length: " + strconv.Itoa(len(body)) + "\r\nConnection: close\r\n\r\n" + body
}

// locked writes under a mutex.
type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// claim takes what arrived under a token.
func (r *recorder) claim(token string) (texts []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.arrived = slices.DeleteFunc(r.arrived, func(b *bytes.Buffer) bool {
		mine := strings.Contains(b.String(), "Bearer "+token+"\r\n")
		if mine {
			texts = append(texts, b.String())
		}
		return mine
	})
	return texts
}

// unclaimed is what arrived and is nobody's.
func (r *recorder) unclaimed() (texts []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.arrived {
		texts = append(texts, b.String())
	}
	return texts
}

var randomID = regexp.MustCompile(`^x-request-id: [0-9a-zA-Z_-]{20,}$`)

// wantArrival compares what arrived byte by byte, but for the order of the
// header's lines and the request's id.
func wantArrival(t *testing.T, r *recorder, token, text string, forwarded []string, body string) {
	t.Helper()
	if body == "" {
		body = hi
	}
	head, got, _ := strings.Cut(text, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	id := slices.IndexFunc(lines, randomID.MatchString)
	if id < 0 {
		t.Errorf("no id: %q", text)
		return
	}
	lines = slices.Delete(lines, id, id+1)
	want := append([]string{
		"host: " + r.address(), "content-type: application/json", "authorization: Bearer " + token,
		"content-length: " + strconv.Itoa(len(body)),
	}, forwarded...)
	slices.Sort(want)
	slices.Sort(lines[1:])
	if lines[0] != "POST "+chatPath+" HTTP/1.1" || !slices.Equal(lines[1:], want) || got != body {
		t.Errorf("the upstream got\n%q\nwant\n%q\n%q", text, want, body)
	}
}
