package dataplane

import (
	"strings"

	"golang.org/x/net/http2"
)

// h2Frames are frames in an order or a number that is not HTTP/2's. The floods
// are small, and end with the connection.
func h2Frames() (shapes []shape) {
	settings := []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: 1 << 20}}
	for _, v := range []struct {
		name, want string
		talk       func(c *h2)
	}{
		{"empty body with the headers", "400 invalid_json", func(c *h2) { c.start(1, true, without(c.good(hi), "content-length")) }},
		{"empty body", "400 invalid_json", func(c *h2) {
			c.start(1, false, c.good(""))
			_ = c.WriteData(1, true, nil)
		}},
		{"end in a frame of its own", "200", func(c *h2) {
			c.start(1, false, c.good(hi))
			_ = c.WriteData(1, false, []byte(hi))
			_ = c.WriteData(1, true, nil)
		}},
		{"words in two frames", "451 content_blocked", func(c *h2) {
			c.start(1, false, c.good(bad))
			_ = c.WriteData(1, false, []byte(bad[:50]))
			_ = c.WriteData(1, true, []byte(bad[50:]))
		}},
		{"a byte a frame", "200", func(c *h2) {
			c.start(1, false, c.good(hi))
			for i := range hi {
				_ = c.WriteData(1, i == len(hi)-1, []byte(hi[i:i+1]))
			}
		}},
		{"padding with words", "200", func(c *h2) {
			c.start(1, false, c.good(hi))
			pad := make([]byte, 200)
			copy(pad, words)
			_ = c.WriteDataPadded(1, true, []byte(hi), pad)
		}},
		{"padding longer than the frame", "closed", func(c *h2) {
			c.start(1, false, c.good(hi))
			_ = c.WriteRawFrame(http2.FrameData, http2.FlagDataPadded|http2.FlagDataEndStream, 1, append([]byte{255}, hi...))
		}},
		{"trailers with words", "200", func(c *h2) {
			c.start(1, false, c.good(hi))
			_ = c.WriteData(1, false, []byte(hi))
			c.start(1, true, []field{{Name: "x-words", Value: words}, {Name: "grpc-status", Value: "0"}})
		}},
		{"trailers of a length", "closed", func(c *h2) {
			c.start(1, false, without(c.good(hi), "content-length"))
			_ = c.WriteData(1, false, []byte(hi))
			c.start(1, true, []field{{Name: "content-length", Value: "3"}, {Name: "content-type", Value: "text/plain"}, {Name: "authorization", Value: "Bearer x"}})
		}},
		{"trailers behind words", "451 content_blocked", func(c *h2) {
			c.start(1, false, c.good(bad))
			_ = c.WriteData(1, false, []byte(bad))
			c.start(1, true, []field{{Name: "x", Value: "y"}})
		}},
		{"trailers with a pseudo header", "closed", func(c *h2) {
			c.start(1, false, c.good(hi))
			_ = c.WriteData(1, false, []byte(hi))
			c.start(1, true, []field{{Name: ":path", Value: "/x"}})
		}},
		{"trailers that do not end", "closed", func(c *h2) {
			c.start(1, false, c.good(hi))
			_ = c.WriteData(1, false, []byte(hi))
			c.start(1, false, []field{{Name: "x", Value: "y"}})
		}},
		{"trailers alone", "400 invalid_json", func(c *h2) {
			c.start(1, false, without(c.good(hi), "content-length"))
			c.start(1, true, []field{{Name: "x-words", Value: words}})
		}},
		{"data behind the end", "closed", func(c *h2) {
			c.request(1, hi)
			_ = c.WriteData(1, true, []byte(bad))
		}},
		{"data before headers", "closed", func(c *h2) {
			c.expect(1)
			_ = c.WriteData(1, true, []byte(hi))
		}},
		{"data on no stream", "closed", func(c *h2) {
			c.expect(1)
			_ = c.WriteRawFrame(http2.FrameData, 0, 0, []byte(hi))
		}},
		{"even stream", "closed", func(c *h2) { c.request(2, hi) }},
		{"stream that went by", "200", func(c *h2) {
			c.request(5, hi)
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: c.pack(c.good(bad)), EndHeaders: true})
			_ = c.WriteData(3, true, []byte(bad))
		}},
		{"headers on no stream", "closed", func(c *h2) {
			c.expect(0)
			_ = c.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 0, c.pack(c.good(hi)))
		}},
		{"depends on itself", "closed", func(c *h2) {
			c.expect(1)
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.pack(c.good(hi)), EndHeaders: true, Priority: http2.PriorityParam{StreamDep: 1, Weight: 1}})
			_ = c.WriteData(1, true, []byte(hi))
		}},
		{"bad compression", "closed", func(c *h2) {
			c.expect(1)
			_ = c.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersEndHeaders|http2.FlagHeadersEndStream, 1, []byte{0xff, 0xff, 0xff, 0xff, 0xff})
		}},
		{"continuation in pieces", "200", func(c *h2) {
			c.expect(1)
			block := c.pack(c.good(hi))
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:3]})
			for i := 3; i < len(block); i++ {
				_ = c.WriteContinuation(1, i == len(block)-1, block[i:i+1])
			}
			_ = c.WriteData(1, true, []byte(hi))
		}},
		{"continuation interrupted", "closed", func(c *h2) {
			c.expect(1)
			block := c.pack(c.good(hi))
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:3]})
			_ = c.WriteData(1, true, []byte(hi))
		}},
		{"continuation of nothing", "closed", func(c *h2) {
			c.expect(1)
			_ = c.WriteContinuation(1, true, c.pack(c.good(hi)))
		}},
		{"continuation flood", "closed", func(c *h2) {
			c.expect(1)
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.pack(c.good(hi))})
			for range 2000 {
				if c.WriteContinuation(1, false, c.pack([]field{{Name: "x", Value: strings.Repeat("a", 100)}})) != nil {
					return
				}
			}
		}},
		{"empty continuation flood", "closed", func(c *h2) {
			c.expect(1)
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.pack(c.good(hi))})
			for range 2000 {
				if c.WriteContinuation(1, false, nil) != nil {
					return
				}
			}
		}},
		{"empty data flood", "closed", func(c *h2) {
			c.start(1, false, c.good(hi))
			for range 3000 {
				if c.WriteData(1, false, nil) != nil {
					return
				}
			}
		}},
		{"rapid reset", "closed", func(c *h2) {
			for i := range uint32(1000) {
				if c.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 1, BlockFragment: c.pack(c.good(bad)), EndHeaders: true}) != nil ||
					c.WriteRSTStream(2*i+1, http2.ErrCodeCancel) != nil {
					break
				}
			}
			c.request(2001, hi)
		}},
		// Envoy ends these when too many of its replies are unread.
		{"settings flood", "closed or 200", func(c *h2) {
			for range 2000 {
				_ = c.WriteSettings(settings...)
			}
			c.request(1, hi)
		}},
		{"ping flood", "closed or 200", func(c *h2) {
			for range 3000 {
				_ = c.WritePing(false, [8]byte{})
			}
			c.request(1, hi)
		}},
		{"priority flood", "closed", func(c *h2) {
			c.expect(1)
			for i := range uint32(3000) {
				if c.WritePriority(2*i+3, http2.PriorityParam{StreamDep: 0, Weight: 1}) != nil {
					return
				}
			}
		}},
		{"priority", "200", func(c *h2) {
			_ = c.WritePriority(7, http2.PriorityParam{StreamDep: 3, Weight: 1})
			c.request(1, hi)
		}},
		{"push promise", "closed", func(c *h2) {
			c.expect(1)
			_ = c.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, BlockFragment: c.pack(c.good(hi)), EndHeaders: true})
		}},
		{"window overflow", "closed", func(c *h2) {
			c.expect(1)
			_ = c.WriteWindowUpdate(0, 1<<31-1)
		}},
		{"window overflow of a stream", "closed", func(c *h2) {
			c.start(1, false, c.good(hi))
			_ = c.WriteWindowUpdate(1, 1<<31-1)
		}},
		{"window of nothing", "closed", func(c *h2) {
			c.expect(1)
			_ = c.WriteWindowUpdate(0, 0)
		}},
		{"frame too large", "closed", func(c *h2) {
			c.start(1, false, c.good(hi))
			_ = c.WriteData(1, true, make([]byte, 17<<10))
		}},
		{"bad settings", "closed", func(c *h2) {
			c.expect(1)
			_ = c.WriteSettings(http2.Setting{ID: http2.SettingEnablePush, Val: 7})
		}},
		{"unknown frame", "200", func(c *h2) {
			_ = c.WriteRawFrame(0xfa, 0, 0, []byte(words))
			c.request(1, hi)
		}},
		{"metadata", "200", func(c *h2) {
			c.start(1, false, c.good(hi))
			_ = c.WriteRawFrame(0x4d, http2.FlagHeadersEndHeaders, 1, c.pack([]field{{Name: "x", Value: words}}))
			_ = c.WriteData(1, true, []byte(hi))
		}},
		{"goaway", "200", func(c *h2) {
			c.request(1, hi)
			_ = c.WriteGoAway(0, http2.ErrCodeNo, []byte(words))
		}},
		{"HTTP/1.1 instead", "closed", func(c *h2) {
			c.expect(1)
			_, _ = c.out.Write([]byte(post("", hi)))
		}},
		{"good, words, nothing at once", "200, 451 content_blocked, 404 not_found", func(c *h2) {
			c.start(1, false, c.good(hi))
			c.start(3, false, c.good(bad))
			c.start(5, true, without(c.good(hi, field{Name: ":path", Value: "/"}), "content-length"))
			_ = c.WriteData(3, true, []byte(bad))
			_ = c.WriteData(1, true, []byte(hi))
		}},
	} {
		shapes = append(shapes, shape{name: "h2/frames/" + v.name, want: v.want, talk: frames(v.talk)})
	}
	request := func(c *h2) { c.request(1, hi) }
	return append(shapes,
		shape{name: "h2/without ALPN", want: "200", talk: framesOver("", request)},
		shape{name: "h2/on a connection of HTTP 1.1", want: "closed", talk: framesOver("http/1.1", request)},
	)
}
