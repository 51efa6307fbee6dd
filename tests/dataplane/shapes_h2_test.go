package dataplane

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2 is the connection of a client that writes the frames it likes. Envoy may
// end it at any time, so no error of writing counts.
//
// Its outcomes are those of HTTP/1.1. A stream is "closed" by a reset, too.
type h2 struct {
	*wire
	*http2.Framer
	out     *bufio.Writer
	packed  bytes.Buffer
	encoder *hpack.Encoder
	streams map[uint32]*h2Stream
	order   []uint32
}

type h2Stream struct {
	header  http.Header
	status  int
	body    []byte
	outcome string // set when it has ended
}

type field = hpack.HeaderField

// frames opens an HTTP/2 connection, has f write, and reads the outcomes.
func frames(f func(c *h2)) func(*wire) { return framesOver("h2", f) }

func framesOver(protocol string, f func(c *h2)) func(*wire) {
	return func(w *wire) {
		if !w.dial(protocol) {
			return
		}
		// Written at once, so that Envoy reads the fault with what it follows.
		c := &h2{wire: w, streams: make(map[uint32]*h2Stream), out: bufio.NewWriterSize(w.conn, 16<<10)}
		c.Framer = http2.NewFramer(c.out, io.TeeReader(w.conn, &w.seen))
		c.AllowIllegalWrites = true
		c.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		c.encoder = hpack.NewEncoder(&c.packed)
		_, _ = c.out.WriteString(http2.ClientPreface)
		_ = c.WriteSettings()
		f(c)
		_ = c.out.Flush()
		c.read()
	}
}

// good are the header fields of a good request, as they are unless replaced by
// others of their name.
func (c *h2) good(body string, others ...field) (fields []field) {
	fields = []field{
		{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "x"}, {Name: ":path", Value: chatPath},
		{Name: "content-type", Value: "application/json"}, {Name: "authorization", Value: "Bearer " + c.token},
		{Name: "content-length", Value: strconv.Itoa(len(body))},
	}
	for _, o := range others {
		replaced := false
		for i := range fields {
			if fields[i].Name == o.Name && !replaced {
				fields[i], replaced = o, true
			}
		}
		if !replaced {
			fields = append(fields, o)
		}
	}
	return fields
}

// pack encodes fields; one without a name is left out.
func (c *h2) pack(fields []field) []byte {
	c.packed.Reset()
	for _, f := range fields {
		if f.Name != "" {
			_ = c.encoder.WriteField(f)
		}
	}
	return bytes.Clone(c.packed.Bytes())
}

// start sends headers. More than a frame holds are continued.
func (c *h2) start(id uint32, end bool, fields []field) {
	c.expect(id)
	block, const16 := c.pack(fields), 16<<10
	first := block[:min(len(block), const16)]
	rest := block[len(first):]
	_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: first, EndStream: end, EndHeaders: len(rest) == 0})
	for len(rest) > 0 {
		piece := rest[:min(len(rest), const16)]
		rest = rest[len(piece):]
		_ = c.WriteContinuation(id, len(rest) == 0, piece)
	}
}

// expect waits for the end of a stream.
func (c *h2) expect(id uint32) {
	if c.streams[id] == nil {
		c.streams[id] = &h2Stream{header: make(http.Header)}
		c.order = append(c.order, id)
	}
}

// request sends a whole request with a body.
func (c *h2) request(id uint32, body string, others ...field) {
	c.start(id, false, c.good(body, others...))
	_ = c.WriteData(id, true, []byte(body))
}

// read reads until all streams have ended, or the connection has.
func (c *h2) read() {
	last := "closed"
	for c.running() {
		f, err := c.ReadFrame()
		if err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				last = "silent"
			}
			break
		}
		c.take(f)
	}
	for _, id := range c.order {
		c.outcomes = append(c.outcomes, cmp.Or(c.streams[id].outcome, last))
	}
}

func (c *h2) running() bool {
	for _, s := range c.streams {
		if s.outcome == "" {
			return true
		}
	}
	return false
}

// take takes a frame of the server's.
func (c *h2) take(f http2.Frame) {
	if f, ok := f.(*http2.SettingsFrame); ok && !f.IsAck() {
		_ = c.WriteSettingsAck()
		_ = c.out.Flush()
	}
	s := c.streams[f.Header().StreamID]
	if s == nil {
		return
	}
	ended := false
	switch f := f.(type) {
	case *http2.MetaHeadersFrame:
		status, _ := strconv.Atoi(f.PseudoValue("status"))
		for _, h := range f.Fields {
			_, _ = c.seen.WriteString(h.Name + ": " + h.Value + "\n") // readable
			if !strings.HasPrefix(h.Name, ":") {
				s.header.Add(h.Name, h.Value)
			}
		}
		if status != 0 {
			s.status = status
		}
		if status >= 100 && status < 200 {
			c.outcomes = append(c.outcomes, strconv.Itoa(status))
		}
		ended = f.StreamEnded()
	case *http2.DataFrame:
		s.body = append(s.body, f.Data()...)
		ended = f.StreamEnded()
	case *http2.RSTStreamFrame:
		if s.outcome == "" {
			s.outcome = "closed"
		}
	}
	if ended {
		a := newAnswer(s.status, s.header, s.body, c.wire.good())
		c.answers = append(c.answers, a)
		s.outcome = a.outcome
	}
}
