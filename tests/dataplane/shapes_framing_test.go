package dataplane

import (
	"fmt"
	"strconv"
	"strings"
)

// h1Framing is where a body ends: what makes one server see another request
// than the next.
func h1Framing() (shapes []shape) {
	n := strconv.Itoa(len(hi))
	size := fmt.Sprintf("%x", len(hi))
	lengths := func(lines string) string { return head + "Connection: close\r\n" + lines + "\r\n" + hi }
	coded := func(line string) string {
		return head + "Connection: close\r\n" + line + "\r\n\r\n" + size + "\r\n" + hi + "\r\n0\r\n\r\n"
	}
	chunks := func(text string) string {
		return head + "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + text
	}
	smuggled := kept("", bad)
	for _, v := range []struct{ name, text, want string }{
		{"chunked", coded("Transfer-Encoding: chunked"), "200"},
		{"chunked, upper case", coded("Transfer-Encoding: CHUNKED"), "200"},
		{"CL.TE", head + "Content-Length: " + strconv.Itoa(5+len(smuggled)) + "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, "closed"},
		{"TE.CL", head + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + size + "\r\n" + hi + "\r\n0\r\n\r\n" + smuggled, "closed"},
		{"TE.CL 0", head + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n" + size + "\r\n" + hi + "\r\n0\r\n\r\n", "closed"},
		{"TE xchunked", coded("Transfer-Encoding: xchunked"), "closed"},
		{"TE blank before chunked", coded("Transfer-Encoding:  chunked"), "200"},
		{"TE tab before chunked", coded("Transfer-Encoding:\tchunked"), "200"},
		{"TE vertical tab", coded("Transfer-Encoding: \vchunked"), "closed"},
		{"TE chunked, identity", coded("Transfer-Encoding: chunked, identity"), "closed"},
		{"TE identity, chunked", coded("Transfer-Encoding: identity, chunked"), "closed"},
		{"TE gzip, chunked", coded("Transfer-Encoding: gzip, chunked"), "closed"},
		{"TE identity and a length", lengths("Transfer-Encoding: identity\r\nContent-Length: " + n + "\r\n"), "closed"},
		{"TE twice", coded("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), "closed"},
		{"TE twice, identity", coded("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"), "closed"},
		{"TE twice, x", coded("Transfer-Encoding: x\r\nTransfer-Encoding: chunked"), "closed"},
		{"TE chunked, empty", coded("Transfer-Encoding: chunked,"), "closed"},
		{"TE quoted", coded(`Transfer-Encoding: "chunked"`), "closed"},
		{"TE with parameter", coded("Transfer-Encoding: chunked;x=y"), "closed"},
		{"TE blank before colon", coded("Transfer-Encoding : chunked"), "closed"},
		{"TE folded", coded("Transfer-Encoding:\r\n chunked"), "200"},
		{"TE folded before", coded("X: y\r\n Transfer-Encoding: chunked"), "400 invalid_json"},
		{"TE with NUL", coded("Transfer-Encoding: chunked\x00"), "closed"},
		{"TE underscore", coded("Transfer_Encoding: chunked"), "closed"},
		{"TE empty and a length", lengths("Transfer-Encoding:\r\nContent-Length: " + n + "\r\n"), "closed"},
		{"CL twice", lengths("Content-Length: " + n + "\r\nContent-Length: 2\r\n"), "closed"},
		{"CL twice, equal", lengths("Content-Length: " + n + "\r\nContent-Length: " + n + "\r\n"), "closed"},
		{"CL list", lengths("Content-Length: " + n + ", " + n + "\r\n"), "closed"},
		{"CL negative", lengths("Content-Length: -1\r\n"), "closed"},
		{"CL plus", lengths("Content-Length: +" + n + "\r\n"), "closed"},
		{"CL hex", lengths("Content-Length: 0x" + size + "\r\n"), "closed"},
		{"CL with a point", lengths("Content-Length: " + n + ".0\r\n"), "closed"},
		{"CL huge", lengths("Content-Length: 99999999999999999999999\r\n"), "closed"},
		{"CL 2^64 more", lengths("Content-Length: 18446744073709551672\r\n"), "closed"},
		{"CL over the limit", lengths("Content-Length: 70000\r\n"), "413 request_too_large"},
		{"CL 2^63", lengths("Content-Length: 9223372036854775808\r\n"), "413 request_too_large"},
		{"CL leading zeros", lengths("Content-Length: 000" + n + "\r\n"), "200"},
		{"CL blank inside", lengths("Content-Length: " + n[:1] + " " + n[1:] + "\r\n"), "closed"},
		{"CL blank behind", lengths("Content-Length: " + n + " \r\n"), "200"},
		{"CL blank before colon", lengths("Content-Length : " + n + "\r\n"), "closed"},
		{"CL tab before colon", lengths("Content-Length\t: " + n + "\r\n"), "closed"},
		{"CL empty", lengths("Content-Length:\r\n"), "closed"},
		{"CL letters", lengths("Content-Length: many\r\n"), "closed"},
		{"CL 0", lengths("Content-Length: 0\r\n"), "400 invalid_json"},
		{"no length", lengths(""), "400 invalid_json"},
		{"fold in a header", lengths("X: y\r\n z\r\nContent-Length: " + n + "\r\n"), "200"},
		{"fold first", "POST " + chatPath + " HTTP/1.1\r\n Host: x\r\n\r\n", "closed"},
		{"bare LF in a header", lengths("X: y\nContent-Length: " + n + "\r\n"), "200"},
		{"bare CR in a header", lengths("X: y\rZ: z\r\nContent-Length: " + n + "\r\n"), "200"},
		{"bare LF at the end of the header", head + "Content-Length: " + n + "\n\n" + hi, "200"},
		{"NUL in a header", lengths("X: y\x00z\r\nContent-Length: " + n + "\r\n"), "closed"},
		{"control in a header", lengths("X: y\x01z\r\nContent-Length: " + n + "\r\n"), "closed"},
		{"header without colon", lengths("giraffe\r\nContent-Length: " + n + "\r\n"), "closed"},
		{"header without name", lengths(": x\r\nContent-Length: " + n + "\r\n"), "closed"},
		{"header with a blank in its name", lengths("a b: x\r\nContent-Length: " + n + "\r\n"), "closed"},
		{"chunk extension", chunks(size + ";" + strings.ReplaceAll(words, " ", "=") + "\r\n" + hi + "\r\n0\r\n\r\n"), "200"},
		{"chunk extension, quoted words", chunks(size + ";a=\"" + words + "\"\r\n" + hi + "\r\n0\r\n\r\n"), "200"},
		{"last chunk's extension", chunks(size + "\r\n" + hi + "\r\n0;a=giraffe\r\n\r\n"), "200"},
		{"chunk extension with LF", chunks(size + ";a\nb\r\n" + hi + "\r\n0\r\n\r\n"), "closed"},
		{"chunk size 0x", chunks("0x" + size + "\r\n" + hi + "\r\n0\r\n\r\n"), "closed"},
		{"chunk size negative", chunks("-1\r\n" + hi + "\r\n0\r\n\r\n"), "closed"},
		{"chunk size overflow", chunks("10000000000000000" + size + "\r\n" + hi + "\r\n0\r\n\r\n"), "closed"},
		{"chunk size empty", chunks("\r\n" + hi + "\r\n0\r\n\r\n"), "closed"},
		{"chunk size not hex", chunks("zz\r\n" + hi + "\r\n0\r\n\r\n"), "closed"},
		{"chunk size with zeros", chunks("0000" + size + "\r\n" + hi + "\r\n0\r\n\r\n"), "200"},
		{"chunk size, blank behind", chunks(size + " \r\n" + hi + "\r\n0\r\n\r\n"), "200"},
		{"chunk size, bare LF", chunks(size + "\n" + hi + "\r\n0\r\n\r\n"), "closed"},
		{"chunk too short", chunks("5\r\n" + hi + "\r\n0\r\n\r\n"), "closed"},
		{"bytes between chunks", chunks(size + "\r\n" + hi + "giraffe\r\n0\r\n\r\n"), "closed"},
		{"chunk without CR LF", chunks(size + "\r\n" + hi + "0\r\n\r\n"), "closed"},
		{"chunk with bare LF", chunks(size + "\r\n" + hi + "\n0\n\n"), "closed"},
		{"chunk ended by other bytes", chunks(size + "\r\n" + hi + "XX0\r\n\r\n"), "closed"},
		{"chunk of words after", chunks(size + "\r\n" + hi + "\r\n0\r\n\r\n" + words), "200"},
		{"one byte a chunk", chunks("1\r\n" + strings.Join(strings.Split(hi, ""), "\r\n1\r\n") + "\r\n0\r\n\r\n"), "200"},
		{"trailer with words", chunks(size + "\r\n" + hi + "\r\n0\r\nX-Words: " + words + "\r\n\r\n"), "200"},
		{"trailer of a length", chunks(size + "\r\n" + hi + "\r\n0\r\nContent-Length: 3\r\nHost: y\r\nContent-Type: text/plain\r\n\r\n"), "200"},
		{"trailer announced", head + "Connection: close\r\nTrailer: X-Words\r\n" + chunked(hi, "X-Words: "+words+"\r\n"), "200"},
		{"trailer that is none", chunks(size + "\r\n" + hi + "\r\n0\r\n" + words + "\r\n\r\n"), "closed"},
		{"words in two chunks", chunks("30\r\n" + bad[:0x30] + "\r\n" + fmt.Sprintf("%x\r\n%s", len(bad)-0x30, bad[0x30:]) + "\r\n0\r\n\r\n"), "451 content_blocked"},
	} {
		shapes = append(shapes, shape{name: "h1/framing/" + v.name, talk: text(v.text), want: v.want})
	}
	return shapes
}

// h1Pipelines are requests that come before the former is answered.
func h1Pipelines() (shapes []shape) {
	elsewhere := "GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n"
	typed := strings.Replace(kept("", hi), "application/json", "text/plain", 1)
	for _, v := range []struct{ name, text, want string }{
		{"good, good", kept("", hi) + post("", hi), "200, 200"},
		{"good, words", kept("", hi) + post("", bad), "200, 451 content_blocked"},
		{"words, good", kept("", bad) + post("", hi), "451 content_blocked, 200"},
		{"words, words", kept("", bad) + post("", bad), "451 content_blocked, 451 content_blocked"},
		{"nothing, good", elsewhere + post("", hi), notFound + ", 200"},
		{"nothing, words", elsewhere + post("", bad), notFound + ", 451 content_blocked"},
		{"wrong type, good", typed + post("", hi), "415 unsupported_content_type, 200"},
		{"good, nothing, good", kept("", hi) + elsewhere + post("", hi), "200, " + notFound + ", 200"},
		{"good, garbage", kept("", hi) + "giraffe\r\n\r\n", "200, closed"},
		{"good, HTTP/1.0", kept("", hi) + strings.Replace(post("", bad), "HTTP/1.1", "HTTP/1.0", 1), "200, closed"},
		{"behind close", post("", hi) + kept("", bad), "200"},
		{"GET with a body", strings.Replace(kept("", post("", bad)), "POST", "GET", 1) + post("", hi), notFound + ", closed"},
		{"length too short", head + "Content-Length: 4\r\n\r\n" + hi, "400 invalid_json"},
		{"behind an upgrade", kept("Connection: Upgrade\r\nUpgrade: websocket\r\n", hi) + post("", bad), refused},
		{"behind an expectation", kept("Expect: 100-continue\r\n", hi) + post("", bad), "100 bare, 200, 451 content_blocked"},
	} {
		shapes = append(shapes, shape{name: "h1/pipeline/" + v.name, talk: text(v.text), want: v.want})
	}
	return shapes
}
