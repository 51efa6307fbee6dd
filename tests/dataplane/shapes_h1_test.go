package dataplane

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// wire is a client's connection of raw bytes and what came of it.
//
// An outcome is the status of an answer and its error's code, "bare" without a
// body; without any answer it is "closed", or "silent" if nothing happens.
type wire struct {
	s        *sidecar
	token    string
	want     []string // how many answers to wait for
	body     string   // of an answer of 200
	outcomes []string
	answers  []*answer
	seen     bytes.Buffer
	conn     *tls.Conn
}

// dial connects, with a protocol of ALPN's or none.
func (c *wire) dial(protocol string) bool {
	config := &tls.Config{RootCAs: c.s.roots, ServerName: "localhost"}
	if protocol != "" {
		config.NextProtos = []string{protocol}
	}
	conn, err := tls.Dial("tcp", strings.TrimPrefix(c.s.url, "https://"), config)
	if err != nil {
		c.outcomes = append(c.outcomes, "not connected: "+err.Error())
		return false
	}
	c.conn = conn
	_ = conn.SetDeadline(time.Now().Add(patience))
	return true
}

func (c *wire) end() {
	if c.conn != nil {
		_ = c.conn.Close()
	}
}

func (c *wire) add(a *answer) {
	c.answers = append(c.answers, a)
	c.outcomes = append(c.outcomes, a.outcome)
}

func (c *wire) good() string {
	if c.body != "" {
		return c.body
	}
	return fine
}

// text sends bytes, with TOKEN replaced by the shape's own, and reads HTTP/1.1.
func text(parts ...string) func(*wire) {
	return func(c *wire) {
		if !c.dial("http/1.1") {
			return
		}
		for _, part := range parts {
			// Envoy may close before all of it is written.
			_, _ = io.WriteString(c.conn, strings.ReplaceAll(part, "TOKEN", c.token))
		}
		c.readH1(parts[0])
	}
}

func (c *wire) readH1(sent string) {
	in := bufio.NewReader(io.TeeReader(c.conn, &c.seen))
	method, _, _ := strings.Cut(sent, " ")
	for {
		if len(c.outcomes) >= len(c.want) {
			_ = c.conn.SetReadDeadline(time.Now().Add(silence))
		}
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		var timeout net.Error
		switch {
		case err == nil:
		case errors.As(err, &timeout) && timeout.Timeout():
			if len(c.outcomes) == 0 {
				c.outcomes = append(c.outcomes, "silent")
			}
			return
		case len(c.outcomes) == 0 || len(c.outcomes) < len(c.want):
			c.outcomes = append(c.outcomes, "closed")
			return
		default:
			return
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		a := newAnswer(resp.StatusCode, resp.Header, body, c.good())
		if err != nil {
			a.outcome += " cut off"
		}
		c.add(a)
		if resp.Close {
			return
		}
	}
}

// head is a good request's without its end; more is added to it.
const (
	fields = "Host: x\r\nContent-Type: application/json\r\nAuthorization: Bearer TOKEN\r\n"
	head   = "POST " + chatPath + " HTTP/1.1\r\n" + fields
)

// post is a good request with more in its header.
func post(more, body string) string { return head + "Connection: close\r\n" + more + length(body) }

// kept is one that leaves the connection open.
func kept(more, body string) string { return head + more + length(body) }

// length is a body and what announces it.
func length(body string) string {
	return "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
}

// to is a request in which all but the request line is good.
func to(line string) string { return line + "\r\n" + fields + "Connection: close\r\n" + length(hi) }

// chunked is a body in one chunk, with what may follow the last.
func chunked(body, trailer string) string {
	return "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n%s\r\n", len(body), body, trailer)
}
