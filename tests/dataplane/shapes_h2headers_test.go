package dataplane

import (
	"strconv"
	"strings"
)

// with is a request with other header fields; it has a body.
func with(others ...field) func(*wire) {
	return frames(func(c *h2) { c.request(1, hi, others...) })
}

func h2Paths() (shapes []shape) {
	for _, p := range paths {
		shapes = append(shapes, shape{name: "h2/path/" + p.name, want: p.h2, talk: with(field{Name: ":path", Value: p.path})})
	}
	typed := func(t string) func(*wire) { return with(field{Name: "content-type", Value: t}) }
	method := func(m string) func(*wire) { return with(field{Name: ":method", Value: m}) }
	for _, v := range []struct {
		name, want string
		talk       func(*wire)
	}{
		{"the one", "200", with()},
		{"empty path", "closed", with(field{Name: ":path"})},
		{"no path", "closed", frames(func(c *h2) { c.start(1, true, without(c.good(hi), ":path")) })},
		{"two paths", "closed", frames(func(c *h2) {
			c.start(1, false, append([]field{{Name: ":path", Value: "/"}}, c.good(hi)...))
			_ = c.WriteData(1, true, []byte(hi))
		})},
		{"two methods", "closed", frames(func(c *h2) { c.start(1, true, append([]field{{Name: ":method", Value: "GET"}}, c.good(hi)...)) })},
		{"no method", "closed", frames(func(c *h2) { c.start(1, true, without(c.good(hi), ":method")) })},
		{"no scheme", "closed", frames(func(c *h2) { c.start(1, true, without(c.good(hi), ":scheme")) })},
		{"scheme http", "200", with(field{Name: ":scheme", Value: "http"})},
		{"scheme of another", "200", with(field{Name: ":scheme", Value: "giraffe"})},
		{"scheme with a path", "closed", with(field{Name: ":scheme", Value: "https://x/giraffe"})},
		{"empty scheme", "closed", with(field{Name: ":scheme"})},
		{"no authority", "closed", frames(func(c *h2) { c.start(1, true, without(c.good(hi), ":authority")) })},
		{"host for authority", "200", frames(func(c *h2) {
			c.start(1, false, append(without(c.good(hi), ":authority"), field{Name: "host", Value: "x"}))
			_ = c.WriteData(1, true, []byte(hi))
		})},
		{"authority and another host", "200", with(field{Name: "host", Value: "giraffe"})},
		{"authority with words", "closed", with(field{Name: ":authority", Value: words})},
		{"pseudo header late", "closed", frames(func(c *h2) {
			c.start(1, true, append(without(c.good(hi), ":path"), field{Name: ":path", Value: chatPath}))
		})},
		{"unknown pseudo header", "closed", frames(func(c *h2) { c.start(1, true, append([]field{{Name: ":giraffe", Value: "x"}}, c.good(hi)...)) })},
		{"status in a request", "closed", frames(func(c *h2) { c.start(1, true, append([]field{{Name: ":status", Value: "200"}}, c.good(hi)...)) })},
		{"method/GET", notFound, method("GET")},
		{"method/HEAD", "404 bare", method("HEAD")},
		{"method/OPTIONS", notFound, method("OPTIONS")},
		{"method/PUT", notFound, method("PUT")},
		{"method/TRACE", notFound, method("TRACE")},
		{"method/post", notFound, method("post")},
		{"method/custom", notFound, method("INFER")},
		{"method/empty", "closed", method("")},
		{"method/blank", "closed", method("POST ")},
		{"CONNECT", notFound, frames(func(c *h2) {
			c.start(1, false, []field{{Name: ":method", Value: "CONNECT"}, {Name: ":authority", Value: "127.0.0.1:80"}})
			_ = c.WriteData(1, true, []byte(hi))
		})},
		{"CONNECT with a path", "closed", with(field{Name: ":method", Value: "CONNECT"})},
		{"extended CONNECT", "closed", frames(func(c *h2) {
			c.start(1, false, append([]field{{Name: ":protocol", Value: "websocket"}}, c.good(hi, field{Name: ":method", Value: "CONNECT"})...))
			_ = c.WriteData(1, true, []byte(hi))
		})},
		{"protocol without CONNECT", "closed", frames(func(c *h2) {
			c.start(1, true, append([]field{{Name: ":protocol", Value: "websocket"}}, c.good(hi)...))
		})},
		{"grpc", "grpc-status 2", typed("application/grpc")},
		{"grpc+proto", "grpc-status 2", typed("application/grpc+proto")},
		{"grpc-web", wrongType, typed("application/grpc-web")},
		{"grpc-web-text", wrongType, typed("application/grpc-web-text")},
		{"type/none", wrongType, frames(func(c *h2) {
			c.start(1, false, without(c.good(hi), "content-type"))
			_ = c.WriteData(1, true, []byte(hi))
		})},
		{"encoding", wrongEncoding, with(field{Name: "content-encoding", Value: "gzip"})},
		{"words", "451 content_blocked", frames(func(c *h2) { c.request(1, bad) })},
	} {
		shapes = append(shapes, shape{name: "h2/" + v.name, want: v.want, talk: v.talk})
	}
	return shapes
}

func without(fields []field, name string) []field {
	for i := range fields {
		if fields[i].Name == name {
			return append(fields[:i:i], fields[i+1:]...)
		}
	}
	return fields
}

func h2Headers() (shapes []shape) {
	for _, v := range []struct {
		name, want string
		fields     []field
	}{
		{"name in upper case", "closed", []field{{Name: "X-Words", Value: "x"}}},
		{"name with a colon", "closed", []field{{Name: "a:b", Value: "x"}}},
		{"name with a blank", "closed", []field{{Name: "a b", Value: "x"}}},
		{"name with CR LF", "closed", []field{{Name: "a\r\nb", Value: "x"}}},
		{"name not ASCII", "closed", []field{{Name: "\u00e9", Value: "x"}}},
		{"name with underscore", "closed", []field{{Name: "x_words", Value: "x"}}},
		{"value with CR LF", "closed", []field{{Name: "x", Value: "y\r\ntransfer-encoding: chunked"}}},
		{"value with LF", "closed", []field{{Name: "openai-project", Value: "y\nx: z"}}},
		{"value with NUL", "closed", []field{{Name: "x", Value: "y\x00"}}},
		{"value with a blank before", "200", []field{{Name: "x", Value: " y"}}},
		{"transfer-encoding", "closed", []field{{Name: "transfer-encoding", Value: "chunked"}}},
		{"connection", "closed", []field{{Name: "connection", Value: "close"}}},
		{"keep-alive", "closed", []field{{Name: "keep-alive", Value: "timeout=9"}}},
		{"proxy-connection", "closed", []field{{Name: "proxy-connection", Value: "close"}}},
		{"upgrade", "closed", []field{{Name: "upgrade", Value: "websocket"}}},
		{"te trailers", "200", []field{{Name: "te", Value: "trailers"}}},
		{"te gzip", "closed", []field{{Name: "te", Value: "gzip"}}},
		{"expect", "100, 200", []field{{Name: "expect", Value: "100-continue"}}},
		{"unread", "200", []field{{Name: "x-envoy-original-path", Value: "/giraffe"}, {Name: "x-forwarded-for", Value: "1.2.3.4"},
			{Name: "x-request-id", Value: "giraffe"}, {Name: "cookie", Value: "giraffe"}, {Name: "user-agent", Value: words}, {Name: "accept-encoding", Value: "gzip"}}},
		{"length too large", "closed", []field{{Name: "content-length", Value: "99"}}},
		{"length too small", "closed", []field{{Name: "content-length", Value: "5"}}},
		{"length 0", "closed", []field{{Name: "content-length", Value: "0"}}},
		{"length negative", "closed", []field{{Name: "content-length", Value: "-1"}}},
		{"length plus", "closed", []field{{Name: "content-length", Value: "+" + strconv.Itoa(len(hi))}}},
		{"length list", "closed", []field{{Name: "content-length", Value: strconv.Itoa(len(hi)) + ", 5"}}},
		{"large", "closed", []field{{Name: "x", Value: strings.Repeat("a", 70<<10)}}},
	} {
		shapes = append(shapes, shape{name: "h2/header/" + v.name, want: v.want, talk: with(v.fields...)})
	}
	return append(shapes,
		shape{name: "h2/header/two lengths", want: "closed", talk: frames(func(c *h2) {
			c.start(1, false, append(c.good(hi), field{Name: "content-length", Value: "5"}))
			_ = c.WriteData(1, true, []byte(hi))
		})},
		shape{name: "h2/header/no length", want: "200", talk: frames(func(c *h2) {
			c.start(1, false, without(c.good(hi), "content-length"))
			_ = c.WriteData(1, true, []byte(hi))
		})},
		shape{name: "h2/header/many", want: "closed", talk: frames(func(c *h2) {
			fields := c.good(hi)
			for range 120 {
				fields = append(fields, field{Name: "x", Value: "y"})
			}
			c.start(1, false, fields)
			_ = c.WriteData(1, true, []byte(hi))
		})},
	)
}
