package dataplane

import (
	"strings"
	"unicode/utf16"
)

const (
	wrongType     = "415 unsupported_content_type"
	wrongEncoding = "415 unsupported_content_encoding"
)

// h1Bodies are bodies that another reader would read in another way.
func h1Bodies() (shapes []shape) {
	typed := func(values ...string) string {
		line := ""
		for _, v := range values {
			line += "Content-Type: " + v + "\r\n"
		}
		return strings.Replace(post("", hi), "Content-Type: application/json\r\n", line, 1)
	}
	encoding := func(values ...string) string {
		line := ""
		for _, v := range values {
			line += "Content-Encoding: " + v + "\r\n"
		}
		return post(line, hi)
	}
	for _, v := range []struct{ name, text, want string }{
		{"type/utf-8", typed("application/json; charset=utf-8"), "200"},
		{"type/UTF-8 quoted", typed(`application/json;charset="UTF-8"`), "200"},
		{"type/upper case", typed("APPLICATION/JSON"), "200"},
		{"type/extended parameter", typed("application/json; charset*=utf-8''utf-8"), "200"},
		{"type/none", typed(), wrongType},
		{"type/empty", typed(""), wrongType},
		{"type/two", typed("application/json", "text/plain"), wrongType},
		{"type/two equal", typed("application/json", "application/json"), wrongType},
		{"type/list", typed("application/json, text/plain"), wrongType},
		{"type/utf-7", typed("application/json; charset=utf-7"), wrongType},
		{"type/utf-16", typed("application/json; charset=utf-16"), wrongType},
		{"type/latin1", typed("application/json; charset=iso-8859-1"), wrongType},
		{"type/two charsets", typed("application/json; charset=utf-8; charset=utf-7"), wrongType},
		{"type/words", typed("application/json; a=giraffe"), wrongType},
		{"type/boundary", typed("application/json; boundary=x"), wrongType},
		{"type/suffix", typed("application/vnd.x+json"), wrongType},
		{"type/text/json", typed("text/json"), wrongType},
		{"type/form", typed("application/x-www-form-urlencoded"), wrongType},
		{"type/multipart", typed("multipart/form-data; boundary=x"), wrongType},
		{"type/stream", typed("text/event-stream"), wrongType},
		{"encoding/gzip", encoding("gzip"), wrongEncoding},
		{"encoding/GZIP", encoding("GZIP"), wrongEncoding},
		{"encoding/br", encoding("br"), wrongEncoding},
		{"encoding/zstd", encoding("zstd"), wrongEncoding},
		{"encoding/gzip, identity", encoding("gzip, identity"), wrongEncoding},
		{"encoding/identity, gzip", encoding("identity", "gzip"), wrongEncoding},
		{"encoding/unknown", encoding("x-giraffe"), wrongEncoding},
		{"encoding/empty", encoding(""), wrongEncoding},
		{"encoding/identity", encoding("identity"), "200"},
		{"encoding/IDENTITY", encoding("IDENTITY"), "200"},
		{"encoding/identity twice", encoding("identity", "identity"), wrongEncoding},
		{"json/words", post("", bad), "451 content_blocked"},
		{"json/words escaped", post("", strings.Replace(bad, "giraffe", `gir\u0061ffe`, 1)), "451 content_blocked"},
		{"json/BOM", post("", "\ufeff"+hi), "400 invalid_json"},
		{"json/garbage behind", post("", hi+"x"), "400 invalid_json"},
		{"json/two", post("", hi+bad), "400 invalid_json"},
		{"json/two on lines", post("", hi+"\n"+bad), "400 invalid_json"},
		{"json/NUL behind", post("", hi+"\x00"), "400 invalid_json"},
		{"json/NUL before", post("", "\x00"+hi), "400 invalid_json"},
		{"json/NUL inside", post("", strings.Replace(hi, "hi", "h\x00i", 1)), "400 invalid_json"},
		{"json/utf-16", post("", wide(hi)), "400 invalid_json"},
		{"json/comment", post("", "/* "+words+" */"+hi), "400 invalid_json"},
		{"json/form feed", post("", "\f"+hi), "400 invalid_json"},
		{"json/record separator", post("", "\x1e"+hi), "400 invalid_json"},
		{"json/not UTF-8", post("", strings.Replace(hi, "hi", "\xff", 1)), "400 invalid_utf8"},
		{"json/string", post("", `"`+words+`"`), "451 content_blocked"},
	} {
		shapes = append(shapes, shape{name: "h1/" + v.name, talk: text(v.text), want: v.want})
	}
	return shapes
}

// wide is UTF-16, big-endian.
func wide(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		b.WriteString(string([]byte{byte(u >> 8), byte(u)}))
	}
	return b.String()
}

// h1Headers are headers that steer somebody or carry words: what is not known
// by its form reaches nobody.
func h1Headers() (shapes []shape) {
	many := strings.Repeat("X-A: b\r\n", 120)
	for _, v := range []struct{ name, more, want string }{
		{"x-envoy", "X-Envoy-Retry-On: 5xx\r\nX-Envoy-Max-Retries: 9\r\nX-Envoy-Upstream-Alt-Stat-Name: giraffe\r\nX-Envoy-Original-Path: /giraffe\r\n" +
			"X-Envoy-Original-Host: giraffe\r\nX-Envoy-Upstream-Rq-Timeout-Ms: 1\r\nX-Envoy-Upstream-Rq-Per-Try-Timeout-Ms: 1\r\nX-Envoy-Force-Trace: true\r\n" +
			"X-Envoy-Decorator-Operation: giraffe\r\nX-Envoy-Hedge-On-Per-Try-Timeout: true\r\nX-Envoy-Ip-Tags: giraffe\r\nX-Envoy-Internal: true\r\n" +
			"X-Envoy-External-Address: 1.2.3.4\r\nX-Envoy-Expected-Rq-Timeout-Ms: 1\r\nX-Envoy-Attempt-Count: 7\r\nX-Envoy-Is-Timeout-Retry: true\r\n", "200"},
		{"forwarded", "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: giraffe\r\nX-Forwarded-Proto: giraffe\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Client-Cert: giraffe\r\n" +
			"Forwarded: for=giraffe\r\nX-Real-Ip: 1.2.3.4\r\nVia: 1.1 giraffe\r\nTrue-Client-Ip: giraffe\r\n", "200"},
		{"rewrite", "X-Original-Url: /giraffe\r\nX-Rewrite-Url: /giraffe\r\nX-Http-Method-Override: GET\r\nX-Method-Override: GET\r\n", "200"},
		{"request id", "X-Request-Id: giraffe\r\nX-Client-Trace-Id: giraffe\r\nX-Correlation-Id: giraffe\r\n", "200"},
		{"tracing", "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nTracestate: giraffe=1\r\nBaggage: a=giraffe\r\nX-B3-Traceid: giraffe\r\nX-Ot-Span-Context: giraffe\r\nX-Datadog-Trace-Id: 1\r\n", "200"},
		{"te", "TE: trailers, gzip;q=1\r\nTrailer: X-Words\r\n", "200"},
		{"encodings", "Accept-Encoding: gzip, br\r\nAccept-Language: giraffe\r\nAccept-Charset: utf-7\r\n", "200"},
		{"connection lists", "Connection: Authorization, Content-Type, X-Request-Id\r\n", wrongType},
		{"keep-alive and proxy", "Keep-Alive: timeout=9\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic giraffe\r\nProxy-Authenticate: giraffe\r\n", "200"},
		{"underscore", "X_Words: giraffe\r\n", "closed"},
		{"underscore of a known one", "Content_Type: text/plain\r\n", "closed"},
		{"many", many, "closed"},
		{"large", "X-A: " + strings.Repeat("a", 70<<10) + "\r\n", "closed"},
		{"large but allowed", "X-A: " + strings.Repeat("a", 30<<10) + "\r\n", "200"},
		{"not ASCII", "X-A: \u00e9\xff\r\n", "200"},
		{"cookie", "Cookie: a=giraffe\r\nReferer: giraffe\r\nOrigin: giraffe\r\n", "200"},
		{"range", "Range: bytes=0-1\r\nIf-Range: \"giraffe\"\r\nIf-None-Match: *\r\nIf-Modified-Since: giraffe\r\n", "200"},
		{"user agent", "User-Agent: purple giraffe/1.0 (words)\r\n", "200"},
		{"words in known ones", "OpenAI-Organization: purple giraffe\r\nOpenAI-Project: purple giraffe\r\nOpenAI-Beta: purple giraffe\r\nAnthropic-Version: purple giraffe\r\n" +
			"Anthropic-Beta: purple giraffe\r\nX-Api-Key: purple giraffe\r\nAccept: purple/giraffe\r\n", "200"},
		{"known one with a bare CR", "OpenAI-Project: a\r\tTransfer-Encoding: chunked\r\n", "200"},
		{"known one in two lines", "OpenAI-Project: a\r\n giraffe\r\n", "200"},
		{"two known ones, one with words", "OpenAI-Project: a\r\nOpenAI-Project: purple giraffe\r\n", "200"},
		{"expect", "Expect: 100-continue\r\n", "100 bare, 200"},
		{"expect another", "Expect: giraffe\r\n", "200"},
		{"expect in upper case", "Expect: 100-CONTINUE\r\n", "100 bare, 200"},
	} {
		shapes = append(shapes, shape{name: "h1/header/" + v.name, talk: text(post(v.more, hi)), want: v.want})
	}
	return append(shapes,
		shape{name: "h1/header/known ones", want: "200",
			talk: text(post("OpenAI-Organization: org-1\r\nOpenAI-Project: proj_a\r\nOpenAI-Beta: assistants=v2\r\nAnthropic-Version: 2023-06-01\r\n"+
				"Anthropic-Beta: prompt-caching-2024-07-31\r\nX-Api-Key: sk-ant_1.2\r\nAccept: application/json, text/event-stream;q=0.5, */*\r\n", hi)),
			forwarded: []string{
				"openai-organization: org-1", "openai-project: proj_a", "openai-beta: assistants=v2", "anthropic-version: 2023-06-01",
				"anthropic-beta: prompt-caching-2024-07-31", "x-api-key: sk-ant_1.2", "accept: application/json, text/event-stream;q=0.5, */*",
			}},
	)
}
