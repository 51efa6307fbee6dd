package dataplane

import "strings"

const (
	notFound = "404 not_found"
	// refused is what Envoy refuses before it asks the processor.
	refused = "400 http_refused"
)

// paths are those beside the one on the allow-list. HTTP/1.1 and HTTP/2 differ
// in what of them is a fault of the protocol.
var paths = []struct{ name, path, h1, h2 string }{
	{"root", "/", notFound, notFound},
	{"double slash first", "/" + chatPath, notFound, notFound},
	{"double slash inside", "/v1//chat/completions", notFound, notFound},
	{"trailing slash", chatPath + "/", notFound, notFound},
	{"trailing dot", chatPath + ".", notFound, notFound},
	{"trailing blank, encoded", chatPath + "%20", notFound, notFound},
	{"NUL, encoded", chatPath + "%00", notFound, notFound},
	{"newline, encoded", chatPath + "%0a", notFound, notFound},
	{"CR LF and a header, encoded", chatPath + "%20HTTP/1.1%0d%0aX:%20y", notFound, notFound},
	{"slash encoded %2f", "/v1%2fchat/completions", notFound, notFound},
	{"slash encoded %2F", "/v1/chat%2Fcompletions", notFound, notFound},
	{"slash encoded twice", "/v1/chat%252Fcompletions", notFound, notFound},
	{"letter encoded", "/v1/chat/completion%73", notFound, notFound},
	{"letter encoded, upper case", "/v1/%43hat/completions", notFound, notFound},
	{"bad escape", chatPath + "%zz", notFound, notFound},
	{"cut escape", chatPath + "%", notFound, notFound},
	{"overlong UTF-8, encoded", "/v1/chat%c0%afcompletions", notFound, notFound},
	{"dot", "/v1/./chat/completions", notFound, notFound},
	{"dots", "/v1/x/../chat/completions", notFound, notFound},
	{"dots, encoded", "/v1/x/%2e%2e/chat/completions", notFound, notFound},
	{"dots, half encoded", "/v1/x/.%2E/chat/completions", notFound, notFound},
	{"dots to the root", "/../v1/chat/completions", notFound, notFound},
	{"dots behind", chatPath + "/..", notFound, notFound},
	{"params", chatPath + ";a=b", notFound, notFound},
	{"params inside", "/v1;x/chat/completions", notFound, notFound},
	{"backslash", `/v1\chat\completions`, notFound, notFound},
	{"backslash, encoded", "/v1%5cchat/completions", notFound, notFound},
	{"upper case", strings.ToUpper(chatPath), notFound, notFound},
	{"one letter in upper case", "/V1/chat/completions", notFound, notFound},
	{"query", chatPath + "?x", notFound, notFound},
	{"empty query", chatPath + "?", notFound, notFound},
	{"query of a path", "/?" + chatPath, notFound, notFound},
	{"query, encoded", chatPath + "%3fx", notFound, notFound},
	{"fragment", chatPath + "#x", refused, refused},
	{"empty fragment", chatPath + "#", refused, refused},
	{"another API", "/v1/images/generations", notFound, notFound},
	{"a model's name", "/v1/models/x", notFound, notFound},
	{"longer", chatPath + "x", notFound, notFound},
	{"shorter", chatPath[:len(chatPath)-1], notFound, notFound},
	{"without v1", "/chat/completions", notFound, notFound},
	{"not ASCII", "/v1/chat/completions\u00e9", "closed", notFound},
	{"not UTF-8", "/v1/chat/completions\xff", "closed", notFound},
	{"full-width letter", "/v1/chat/completion\uff53", "closed", notFound},
	{"NUL", chatPath + "\x00", "closed", "closed"},
	{"control", chatPath + "\x01", "closed", "closed"},
	{"DEL", chatPath + "\x7f", "closed", "closed"},
	{"tab", chatPath + "\tx", "closed", "closed"},
	{"blank inside", chatPath + " x", "closed", "closed"},
	{"long", "/" + strings.Repeat("a", 20<<10), notFound, notFound},
	{"too long", "/" + strings.Repeat("a", 70<<10), "closed", "closed"},
	{"without slash", "v1/chat/completions", "closed", "closed"},
	{"asterisk", "*", refused, "closed"},
	{"absolute", "http://x" + chatPath, refused, "closed"},
	{"absolute https", "https://x" + chatPath, refused, "closed"},
	{"absolute, another host", "http://other.invalid" + chatPath, refused, "closed"},
	{"absolute, another scheme", "ftp://x" + chatPath, refused, "closed"},
	{"authority", "127.0.0.1:80", "closed", "closed"},
	{"scheme-relative", "//other.invalid" + chatPath, notFound, notFound},
}

func h1Paths() (shapes []shape) {
	for _, p := range paths {
		shapes = append(shapes, shape{name: "h1/path/" + p.name, talk: text(to("POST " + p.path + " HTTP/1.1")), want: p.h1})
	}
	line := "POST " + chatPath + " HTTP/1.1\r\n"
	typed := "Content-Type: application/json\r\nAuthorization: Bearer TOKEN\r\nConnection: close\r\n" + length(hi)
	for _, v := range []struct{ name, text, want string }{
		{"the one", to("POST " + chatPath + " HTTP/1.1"), "200"},
		{"no host", line + typed, refused},
		{"empty host", line + "Host:\r\n" + typed, "200"},
		{"two hosts", line + "Host: x\r\nHost: y\r\n" + typed, "200"},
		{"two equal hosts", line + "Host: x\r\nHost: x\r\n" + typed, "200"},
		{"host with a path", line + "Host: x/y\r\n" + typed, "closed"},
		{"host with words", line + "Host: purple giraffe\r\n" + typed, "closed"},
		{"host with user", line + "Host: a@b\r\n" + typed, "200"},
		{"host of another", line + "Host: other.invalid:1\r\n" + typed, "200"},
		{"no version", to("POST " + chatPath), "closed"},
		{"HTTP/0.9", "GET " + chatPath + "\r\n\r\n", "closed"},
		{"HTTP/1.0", to("POST " + chatPath + " HTTP/1.0"), "closed"},
		{"HTTP/1.2", to("POST " + chatPath + " HTTP/1.2"), "closed"},
		{"HTTP/2.0", to("POST " + chatPath + " HTTP/2.0"), "closed"},
		{"HTTP/3.0", to("POST " + chatPath + " HTTP/3.0"), "closed"},
		{"http/1.1 in lower case", to("POST " + chatPath + " http/1.1"), "closed"},
		{"two blanks", to("POST  " + chatPath + " HTTP/1.1"), "200"},
		{"tab for a blank", to("POST\t" + chatPath + "\tHTTP/1.1"), "200"},
		{"blank at the end", to("POST " + chatPath + " HTTP/1.1 "), "200"},
		{"blank at the start", to(" POST " + chatPath + " HTTP/1.1"), "closed"},
		{"empty lines before", "\r\n\r\n" + to("POST "+chatPath+" HTTP/1.1"), "200"},
		{"bare CR at the end", strings.Replace(to("POST "+chatPath+" HTTP/1.1"), "\r\n", "\r", 1), "closed"},
		{"bare LF at the end", strings.Replace(to("POST "+chatPath+" HTTP/1.1"), "\r\n", "\n", 1), "200"},
		{"garbage", "\x00\x01\x02\r\n\r\n", "closed"},
	} {
		shapes = append(shapes, shape{name: "h1/line/" + v.name, talk: text(v.text), want: v.want})
	}
	return shapes
}

func h1Methods() (shapes []shape) {
	for _, v := range []struct{ name, text, want string }{
		{"GET", to("GET " + chatPath + " HTTP/1.1"), notFound},
		{"HEAD", to("HEAD " + chatPath + " HTTP/1.1"), "404 bare"},
		{"HEAD of health", to("HEAD /v1/health HTTP/1.1"), "404 bare"},
		{"OPTIONS", to("OPTIONS " + chatPath + " HTTP/1.1"), notFound},
		{"OPTIONS asterisk", to("OPTIONS * HTTP/1.1"), refused},
		{"PUT", to("PUT " + chatPath + " HTTP/1.1"), notFound},
		{"PATCH", to("PATCH " + chatPath + " HTTP/1.1"), notFound},
		{"DELETE", to("DELETE " + chatPath + " HTTP/1.1"), notFound},
		{"TRACE", to("TRACE " + chatPath + " HTTP/1.1"), notFound},
		{"QUERY", to("QUERY " + chatPath + " HTTP/1.1"), notFound},
		{"SEARCH", to("SEARCH " + chatPath + " HTTP/1.1"), notFound},
		{"PROPFIND", to("PROPFIND " + chatPath + " HTTP/1.1"), notFound},
		{"post in lower case", to("post " + chatPath + " HTTP/1.1"), "closed"},
		{"Post", to("Post " + chatPath + " HTTP/1.1"), "closed"},
		{"POSTX", to("POSTX " + chatPath + " HTTP/1.1"), "closed"},
		{"custom", to("INFER " + chatPath + " HTTP/1.1"), "closed"},
		{"none", to(" " + chatPath + " HTTP/1.1"), "closed"},
		{"CONNECT", "CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: x\r\n\r\n", notFound},
		{"CONNECT to the path", to("CONNECT " + chatPath + " HTTP/1.1"), "closed"},
		{"overridden to POST", strings.Replace(post("X-HTTP-Method-Override: POST\r\n", hi), "POST", "PUT", 1), notFound},
		{"overridden by three names", post("X-HTTP-Method-Override: GET\r\nX-Method-Override: DELETE\r\nX-HTTP-Method: PUT\r\n", hi), "200"},
		{"PRI preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + strings.Repeat("\x00", 9), "closed"},
		{"websocket", "GET " + chatPath + " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", refused},
		{"websocket post", kept("Connection: Upgrade\r\nUpgrade: websocket\r\n", hi), refused},
		{"tunnel", kept("Connection: Upgrade\r\nUpgrade: tunnel\r\n", hi), refused},
		{"upgrade without connection", post("Upgrade: websocket\r\n", hi), "200"},
		{"h2c", kept("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", hi), "200"},
		{"h2c and websocket", kept("Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n", hi), refused},
		{"TLS upgrade", kept("Connection: Upgrade\r\nUpgrade: TLS/1.3\r\n", hi), refused},
		{"grpc", strings.Replace(to("POST "+chatPath+" HTTP/1.1"), "application/json", "application/grpc", 1), "grpc-status 2"},
		{"grpc+proto", strings.Replace(to("POST "+chatPath+" HTTP/1.1"), "application/json", "application/grpc+proto", 1), "grpc-status 2"},
		{"grpc-web", strings.Replace(to("POST "+chatPath+" HTTP/1.1"), "application/json", "application/grpc-web", 1), "415 unsupported_content_type"},
		{"grpc-web-text", strings.Replace(to("POST "+chatPath+" HTTP/1.1"), "application/json", "application/grpc-web-text", 1), "415 unsupported_content_type"},
		{"grpc of a service", strings.Replace(to("POST /a.B/C HTTP/1.1"), "application/json", "application/grpc", 1), "grpc-status 12"},
	} {
		shapes = append(shapes, shape{name: "h1/method/" + v.name, talk: text(v.text), want: v.want})
	}
	return shapes
}
