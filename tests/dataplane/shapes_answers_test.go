package dataplane

import (
	"fmt"
	"strings"
)

const failed = "502 upstream_failed"

// answers are what an upstream may send, and what of it reaches the client.
func answers() (shapes []shape) {
	const typed = "Content-Type: application/json\r\n"
	good := func(more string) string { return reply("200 OK", typed+more, fine) }
	status := func(line string) string { return reply(line, typed, fine) }
	encoded := func(values ...string) string {
		lines := ""
		for _, v := range values {
			lines += "Content-Encoding: " + v + "\r\n"
		}
		return good(lines)
	}
	media := func(values ...string) string {
		lines := ""
		for _, v := range values {
			lines += "Content-Type: " + v + "\r\n"
		}
		return reply("200 OK", lines, fine)
	}
	raw := func(more, body string) string { return "HTTP/1.1 200 OK\r\n" + typed + more + "\r\n" + body }
	size := fmt.Sprintf("%x", len(fine))
	open := stay + strings.Replace(good(""), "Connection: close\r\n", "", 1)
	const link = "Link: </giraffe>; rel=preload\r\nX-Words: " + words + "\r\n"
	for _, v := range []struct{ name, want, answer string }{
		{"good", "200", good("")},
		{"100", "200", "HTTP/1.1 100 Continue\r\n" + link + "\r\n" + good("")},
		{"102", "200", "HTTP/1.1 102 giraffe\r\n" + link + "\r\n" + good("")},
		{"103", "200", "HTTP/1.1 103 Early Hints\r\n" + link + "\r\n" + good("")},
		{"103 many", "200", strings.Repeat("HTTP/1.1 103 Early Hints\r\n"+link+"\r\n", 20) + good("")},
		{"101", failed, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + words},
		{"101 and an answer", failed, "HTTP/1.1 101 giraffe\r\n\r\n" + good("")},
		{"199", "200", "HTTP/1.1 199 giraffe\r\n\r\n" + good("")},
		{"201", "201 with another body", status("201 giraffe")},
		{"204", failed, "HTTP/1.1 204 giraffe\r\nX: giraffe\r\nConnection: close\r\n\r\n"},
		{"204 with a body", failed, reply("204 No Content", typed, fine)},
		{"205", "205 with another body", status("205 giraffe")},
		{"206", "206 with another body", reply("206 giraffe", typed+"Content-Range: bytes 0-1/giraffe\r\n", fine)},
		{"206 in parts", failed, reply("206 Partial Content", "Content-Type: multipart/byteranges; boundary=giraffe\r\n", "--giraffe\r\n\r\nx\r\n--giraffe--")},
		{"301", failed, reply("301 giraffe", "Location: https://giraffe.invalid/\r\n", "")},
		{"302 with a body", "302 with another body", reply("302 Found", typed+"Location: https://giraffe.invalid/\r\n", fine)},
		{"304", failed, "HTTP/1.1 304 giraffe\r\nETag: \"giraffe\"\r\nConnection: close\r\n\r\n"},
		{"401", "401 bad_key", reply("401 giraffe", typed+"WWW-Authenticate: Basic realm=giraffe\r\n", `{"error":{"code":"bad_key"}}`)},
		{"status 600", failed, status("600 giraffe")},
		{"status 999", failed, status("999 giraffe")},
		{"status 1000", failed, status("1000 giraffe")},
		{"status 20", failed, status("20 giraffe")},
		{"reason with words", "200", status("200 " + words)},
		{"no reason", "200", status("200 ")},
		{"HTTP/1.0", "200", strings.Replace(good(""), "HTTP/1.1", "HTTP/1.0", 1)},
		{"HTTP/2 preface", failed, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
		{"headers with words", "200", good("Server: giraffe\r\nVia: 1.1 giraffe\r\nX-Anything: giraffe\r\nSet-Cookie: a=giraffe\r\nSet-Cookie: b=giraffe\r\n" +
			"WWW-Authenticate: giraffe\r\nLocation: giraffe\r\nContent-Disposition: giraffe\r\nContent-Language: giraffe\r\nETag: \"giraffe\"\r\nWarning: 199 giraffe\r\n" +
			"Alt-Svc: giraffe=\":1\"\r\nAccess-Control-Allow-Origin: https://giraffe.invalid\r\nLink: <giraffe>\r\nRefresh: 0;giraffe\r\nDate: giraffe\r\nAge: giraffe\r\n" +
			"X-Request-Id: giraffe\r\nX-Envoy-Upstream-Service-Time: giraffe\r\nX-Envoy-Decorator-Operation: giraffe\r\nX-Envoy-Overloaded: giraffe\r\nGrpc-Message: giraffe\r\n" +
			"X-Envoy-Immediate-Health-Check-Fail: giraffe\r\nX-Envoy-Attempt-Count: giraffe\r\nX-Envoy-Degraded: giraffe\r\nProxy-Status: giraffe\r\nTrailer: giraffe\r\n")},
		{"known headers with words", "200", good("Cache-Control: giraffe\r\nRetry-After: giraffe\r\nOpenAI-Processing-Ms: giraffe\r\nX-Ratelimit-Reset-Tokens: giraffe\r\n")},
		{"header in two lines", "200", good("X-A: b\r\n giraffe\r\n")},
		{"header with NUL", failed, good("X-A: giraffe\x00\r\n")},
		{"many headers", failed, good(strings.Repeat("X-A: giraffe\r\n", 200))},
		{"large header", failed, good("X-A: " + strings.Repeat("giraffe", 15<<10) + "\r\n")},
		{"type with words", failed, media("application/json; a=giraffe")},
		{"type in upper case", "200", media("Application/JSON; Charset=UTF-8")},
		{"two types", failed, media("application/json", "text/giraffe")},
		{"no type", failed, media()},
		{"latin1", failed, media("application/json; charset=latin1")},
		{"gzip", failed, encoded("gzip")},
		{"br", failed, encoded("br")},
		{"unknown encoding", failed, encoded("giraffe")},
		{"empty encoding", failed, encoded("")},
		{"gzip, identity", failed, encoded("gzip, identity")},
		{"identity and gzip", failed, encoded("identity", "gzip")},
		{"identity", "200", encoded("identity")},
		{"IDENTITY", "200", encoded("IDENTITY")},
		{"words", "451 content_blocked", reply("200 OK", typed, completion(words))},
		{"BOM", failed, reply("200 OK", typed, "\ufeff"+fine)},
		{"garbage behind", failed, reply("200 OK", typed, fine+words)},
		{"two answers", "200", good("") + reply("200 OK", typed, completion(words))},
		{"bytes behind", "200", good("") + words},
		{"chunked", "200", raw("Transfer-Encoding: chunked\r\n", size+"\r\n"+fine+"\r\n0\r\n\r\n")},
		{"chunk extension", "200", raw("Transfer-Encoding: chunked\r\n", size+";a=giraffe\r\n"+fine+"\r\n0;giraffe\r\n\r\n")},
		{"trailers with words", "200", raw("Transfer-Encoding: chunked\r\nTrailer: X-Words\r\n", size+"\r\n"+fine+"\r\n0\r\nX-Words: "+words+"\r\n\r\n")},
		{"bytes between chunks", failed, raw("Transfer-Encoding: chunked\r\n", size+"\r\n"+fine+words+"\r\n0\r\n\r\n")},
		{"bad chunk", failed, raw("Transfer-Encoding: chunked\r\n", "zz\r\n"+fine+"\r\n0\r\n\r\n")},
		{"cut chunk", failed, raw("Transfer-Encoding: chunked\r\n", size+"\r\n"+fine[:10])},
		{"cut body", failed, raw("Content-Length: 1000\r\n", fine)},
		{"both framings", failed, raw("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", size+"\r\n"+fine+"\r\n0\r\n\r\n")},
		{"two lengths", failed, raw("Content-Length: 5\r\nContent-Length: 6\r\n", fine)},
		{"length too small", failed, raw("Content-Length: 5\r\n", fine)},
		{"gzip as transfer-encoding", failed, raw("Transfer-Encoding: gzip, chunked\r\n", size+"\r\n"+fine+"\r\n0\r\n\r\n")},
		{"until the end of the connection", "200", raw("Connection: close\r\n", fine)},
		{"garbage", failed, words + "\r\n\r\n"},
		{"nothing", failed, nothing},
		{"answer of a stream as JSON", failed, reply("200 OK", "Content-Type: text/event-stream\r\n", fine)},
		{"two answers on a connection that stays", "200", open + open},
		{"words on a connection that stays", "200", open + strings.ReplaceAll(open, fine, completion(words))},
		{"bytes on a connection that stays", "200", open + words},
		{"100 behind the answer", "200", open + "HTTP/1.1 100 giraffe\r\n\r\n"},
		{"upgrade in an answer", "200", good("Upgrade: giraffe\r\nConnection: Upgrade\r\n")},
	} {
		shapes = append(shapes,
			shape{name: "answer/h1/" + v.name, want: v.want, answer: v.answer, talk: text(post("", hi))},
			shape{name: "answer/h2/" + v.name, want: v.want, answer: v.answer, talk: with()})
	}
	return append(shapes, streams()...)
}

// streams are answers of events.
func streams() (shapes []shape) {
	good := streamed("hello", " there")
	chunks := func(more, events, trailer string) string {
		return "HTTP/1.1 200 giraffe\r\nContent-Type: text/event-stream\r\nConnection: close\r\n" + more + chunked(events, trailer)
	}
	for _, v := range []struct{ name, want, answer string }{
		{"good", "200", chunks("", good, "")},
		{"trailers with words", "200", chunks("Trailer: X-Words\r\n", good, "X-Words: "+words+"\r\n")},
		{"headers with words", "200", chunks("X-Words: "+words+"\r\n", good, "")},
		{"103 before", "200", "HTTP/1.1 103 giraffe\r\nLink: <giraffe>\r\n\r\n" + chunks("", good, "")},
		{"words in a comment", "451 content_blocked", chunks("", ": "+words+"\n\n"+good, "")},
		{"words in an event's name", "451 content_blocked", chunks("", "event: "+words+"\n"+good, "")},
		{"words in an event's id", "451 content_blocked", chunks("", "id: "+words+"\n"+good, "")},
		{"gzip", failed, chunks("Content-Encoding: gzip\r\n", good, "")},
		{"multipart", failed, strings.Replace(chunks("", good, ""), "text/event-stream", "multipart/x-mixed-replace; boundary=giraffe", 1)},
	} {
		shapes = append(shapes,
			shape{name: "stream/h1/" + v.name, want: v.want, answer: v.answer, body: good, talk: text(post("", hi))},
			shape{name: "stream/h2/" + v.name, want: v.want, answer: v.answer, body: good, talk: with()})
	}
	return shapes
}
