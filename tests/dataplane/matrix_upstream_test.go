package dataplane

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// rawModel is an upstream that writes bytes, not HTTP, so that it can do what
// no server does. What it answers depends on the request's token.
type rawModel struct {
	l net.Listener

	mu      sync.Mutex
	scripts map[string]*script
	accept  func(*rawConn) bool // in place of reading a request, if it says so
	idle    map[net.Conn]bool
	round   int // of connections; those of an earlier one are not used again
	stray   int // requests without a script

	asked requests
}

// requests counts those that clients made.
type requests struct {
	all atomic.Int64
	// alone are those to which Envoy gave the answer by itself, under an id
	// of its own, since the processor did not take them in time. Where all
	// share two cores with a classifier that eats one, that happens. There is
	// no verdict of such a request, but there may be if it came later.
	alone atomic.Int64
}

// script answers requests under one token and notes what arrived.
type script struct {
	answer func(*rawConn) // the connection is used again if it returns and has not closed it
	begun  chan struct{}  // closed when the request has arrived
	// reached, if there is one, is closed when the client has read what it is
	// to have read before the fault.
	reached <-chan struct{}

	mu    sync.Mutex
	bytes int    // of bodies
	head  int    // bytes of heads
	id    string // x-request-id of the last request
	body  string
	at    time.Time
}

// arrive waits until what was sent has arrived where it goes.
func (s *script) arrive() {
	if s.reached == nil {
		time.Sleep(150 * time.Millisecond)
		return
	}
	select {
	case <-s.reached:
	case <-time.After(hangs / 2):
	}
}

// faulted says that the fault is now.
func (s *script) faulted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = time.Now()
}

func (s *script) fault() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

// rawConn is a connection of the model, of which one request has been read but
// for its body.
type rawConn struct {
	net.Conn
	r      *bufio.Reader
	s      *script
	length int64
	closed bool
}

func newRawModel(t *testing.T) *rawModel {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &rawModel{l: l, scripts: make(map[string]*script), idle: make(map[net.Conn]bool)}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { m.serve(&rawConn{Conn: c, r: bufio.NewReader(c)}) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		m.closeIdle()
	})
	return m
}

func (m *rawModel) url() string { return "http://" + m.l.Addr().String() }

// onAccept says what is done with a new connection, after closing those that
// wait for a request; nil is the usual.
func (m *rawModel) onAccept(f func(*rawConn) bool) {
	m.mu.Lock()
	m.accept = f
	m.round++
	m.mu.Unlock()
	m.closeIdle()
	time.Sleep(50 * time.Millisecond) // for Envoy to see that
}

func (m *rawModel) closeIdle() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for c := range m.idle {
		_ = c.Close()
	}
}

// on registers an answer and returns its token.
func (m *rawModel) on(answer func(*rawConn)) (token string, s *script) {
	s = &script{answer: answer, begun: make(chan struct{})}
	token = fmt.Sprintf("Bearer raw-%d", tokens.Add(1))
	m.mu.Lock()
	m.scripts[token] = s
	m.mu.Unlock()
	return token, s
}

func (m *rawModel) serve(c *rawConn) {
	defer func() { _ = c.Close() }()
	m.mu.Lock()
	accept, round := m.accept, m.round
	m.idle[c.Conn] = true
	m.mu.Unlock()
	if accept != nil && accept(c) {
		return
	}
	for !c.closed && m.one(c) {
		m.mu.Lock()
		old := m.round != round
		m.idle[c.Conn] = true
		m.mu.Unlock()
		if old {
			return
		}
	}
}

// one reads one request's head and has it answered.
func (m *rawModel) one(c *rawConn) bool {
	size := 0
	read := func() (string, error) {
		line, err := c.r.ReadString('\n')
		size += len(line)
		return strings.TrimSpace(line), err
	}
	if _, err := read(); err != nil {
		return false
	}
	header := make(http.Header)
	for {
		line, err := read()
		if err != nil {
			return false
		}
		if line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		header.Add(name, strings.TrimSpace(value))
	}
	m.mu.Lock()
	delete(m.idle, c.Conn)
	s := m.scripts[header.Get("Authorization")]
	if s == nil {
		m.stray++
	}
	m.mu.Unlock()
	if s == nil {
		return false
	}
	c.s = s
	_, _ = fmt.Sscan(header.Get("Content-Length"), &c.length)
	s.mu.Lock()
	s.id = header.Get("X-Request-Id")
	s.head += size
	s.at = time.Now()
	s.mu.Unlock()
	s.answer(c)
	return true
}

// receive reads the body of the request.
func (c *rawConn) receive() {
	body, err := io.ReadAll(io.LimitReader(c.r, c.length))
	c.s.mu.Lock()
	c.s.bytes += len(body)
	c.s.body = string(body)
	c.s.mu.Unlock()
	if err == nil {
		select {
		case <-c.s.begun:
		default:
			close(c.s.begun)
		}
	}
}

// say writes bytes and reports whether they could be written.
func (c *rawConn) say(parts ...string) bool {
	for _, p := range parts {
		_ = c.SetWriteDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.WriteString(c.Conn, p); err != nil {
			c.closed = true
			return false
		}
	}
	return true
}

// event writes one chunk of a chunked body.
func (c *rawConn) event(parts ...string) bool {
	for _, p := range parts {
		if !c.say(fmt.Sprintf("%x\r\n%s\r\n", len(p), p)) {
			return false
		}
	}
	return true
}

func (c *rawConn) end() { c.closed = true; _ = c.Close() }

// reset closes as the kernel does for a process that was killed.
func (c *rawConn) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.end()
}

// stall reads until the other side closes and says nothing.
func (c *rawConn) stall() {
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
	_, _ = io.Copy(io.Discard, c.r)
	c.end()
}

const (
	sseHead  = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
	jsonHead = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
)

func sized(body string) string {
	return fmt.Sprintf("%scontent-length: %d\r\n\r\n%s", jsonHead, len(body), body)
}

// answerFine answers any request with JSON.
func answerFine(c *rawConn) {
	c.receive()
	c.say(sized(completion("fine")))
}
