package dataplane

import (
	"fmt"
	"strings"
	"time"
)

// upstreamCell is one way for the upstream to fail.
type upstreamCell struct {
	fault, when, how string
	whole            bool // the client did not ask for a stream
	answer           func(*rawConn)
	cleared          string // of the answer
	saw, verdict     string // what must come of it; several ways are set apart by "|"
}

const (
	failed502   = "502 upstream_failed"
	timeout504  = "504 upstream_timeout"
	unavailable = "BLOCK UNAVAILABLE"
	allowed     = "ALLOW NONE"
	// Where the upstream gives no answer Envoy does, and that is inspected too.
	either      = "ALLOW NONE|BLOCK UNAVAILABLE"
	wholeAnswer = "200, whole"
)

// errorEvent is how servers tell of an error in a stream.
const errorEvent = `data: {"error":{"message":"out of memory","type":"server_error","code":"oom"}}` + "\n\n"

const errorBody = `{"error":{"message":"out of memory","type":"server_error","code":"oom"}}`

func failing(body string) string {
	return fmt.Sprintf("HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", len(body), body)
}

// after begins an answer with the bytes given, the request read, and goes on.
func after(first string, then func(*rawConn)) func(*rawConn) {
	return func(c *rawConn) {
		c.receive()
		if c.say(first) {
			c.s.arrive()
			c.s.faulted()
			then(c)
		}
	}
}

// events is the head of a stream and its first events, as they go over the wire.
func events(parts ...string) string {
	var b strings.Builder
	b.WriteString(sseHead)
	for _, p := range parts {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(p), p)
	}
	return b.String()
}

// endless writes the same until nobody takes it, up to a bound that no limit of
// ours is above.
func endless(part string) func(*rawConn) {
	return func(c *rawConn) {
		for range (64 << 20) / len(part) {
			if !c.event(part) {
				return
			}
		}
		c.end()
	}
}

func slowly(parts ...string) func(*rawConn) {
	return func(c *rawConn) {
		for _, p := range parts {
			time.Sleep(200 * time.Millisecond)
			if !c.event(p) {
				return
			}
		}
		c.say("0\r\n\r\n")
	}
}

func utter(parts ...string) func(*rawConn) {
	return func(c *rawConn) { c.say(parts...) }
}

func sayingAndEnd(parts ...string) func(*rawConn) {
	return func(c *rawConn) { c.say(parts...); c.end() }
}

const lastChunk = "0\r\n\r\n"

// badEvents are the marked words as chunks.
var badEvents = strings.TrimPrefix(events(crowdBad), sseHead)

func upstreamCells() []upstreamCell {
	roleOnly := chunk(0, role, "null")
	withRole := events(roleOnly)
	started := events(crowdFirst)
	complete := events(crowdFirst + crowdMore + crowdEnd)
	all := crowdFirst + crowdMore + crowdEnd
	badBody := completion(forbiddenWords + wordsAfter)
	head := func(extra string) func(*rawConn) {
		return after("HTTP/1.1 200 OK\r\n"+extra+"\r\n", sayingAndEnd(badEvents))
	}
	return []upstreamCell{
		// The request has been sent and not all of it was read.
		{"killed", inRequest, "", false, (*rawConn).reset, "", failed502, either},
		{"stopped", inRequest, "", false, (*rawConn).stall, "", timeout504, unavailable},
		{"slow", inRequest, "", false, func(c *rawConn) { time.Sleep(400 * time.Millisecond); answerFine(c) }, completion("fine"), wholeAnswer, allowed},
		{"closes cleanly", inRequest, "", false, (*rawConn).end, "", failed502, either},
		{"closes with error", inRequest, "status 500", false, sayingAndEnd(failing(errorBody)), errorBody, "500 oom|" + failed502, either},
		{"closes with error", inRequest, "status 500 with forbidden words", false, sayingAndEnd(failing(strings.Replace(errorBody, "out of memory", forbiddenWords+wordsAfter, 1))), "", "451 content_blocked|" + failed502, "BLOCK FORBIDDEN|" + unavailable},
		{"sends garbage", inRequest, "no HTTP", false, sayingAndEnd("HTTP/9.9 purple giraffe\r\n\r\n" + badEvents), "", failed502, either},
		{"sends too much", inRequest, "1,000 informational responses with words", false, func(c *rawConn) {
			c.say(strings.Repeat("HTTP/1.1 103 Early Hints\r\nlink: purple giraffe\r\n\r\n", 500), strings.Repeat("HTTP/1.1 100 Continue\r\nx-words: xyzzy\r\n\r\n", 500))
			answerFine(c)
		}, completion("fine"), wholeAnswer + "|" + failed502, either},
		{"sends too much", inRequest, "headers of 200 KB", false, sayingAndEnd("HTTP/1.1 200 OK\r\nx-words: " + strings.Repeat(forbiddenWords, 12000) + "\r\n\r\n"), "", failed502, either},
		{"sends too much", inRequest, "5,000 headers", false, sayingAndEnd("HTTP/1.1 200 OK\r\n" + strings.Repeat("x-words: giraffe\r\n", 5000) + "\r\n"), "", failed502, either},

		// Its headers are there, and nothing that can be released.
		{"killed", beforeFirstByte, "", false, after(withRole, (*rawConn).reset), "", failed502, either},
		{"killed", beforeFirstByte, "whole answer", true, after(sized(badBody)[:120], (*rawConn).reset), "", failed502, either},
		{"stopped", beforeFirstByte, "", false, after(withRole, (*rawConn).stall), "", timeout504, unavailable},
		{"stopped", beforeFirstByte, "whole answer", true, after(sized(badBody)[:120], (*rawConn).stall), "", timeout504, unavailable},
		{"slow", beforeFirstByte, "", false, after(withRole, slowly(said(0, clearedWords), crowdMore, crowdEnd)), all, wholeAnswer, allowed},
		{"closes cleanly", beforeFirstByte, "no last chunk", false, after(withRole, (*rawConn).end), "", failed502, either},
		{"closes cleanly", beforeFirstByte, "a stream without words", false, after(withRole, sayingAndEnd(lastChunk)), roleOnly, wholeAnswer, allowed},
		{"closes cleanly", beforeFirstByte, "short of its content-length", true, after(sized(badBody)[:120], (*rawConn).end), "", failed502, either},
		{"closes cleanly", beforeFirstByte, "half a body as if it were all", true, after(jsonHead+"\r\n"+badBody[:90], (*rawConn).end), "", failed502, either},
		{"closes with error", beforeFirstByte, "an error event", false, after(withRole, sayingAndEnd(strings.TrimPrefix(events(errorEvent), sseHead)+lastChunk)), roleOnly + errorEvent, "200, ended with oom", allowed},
		{"closes with error", beforeFirstByte, "status 500", true, after(failing(errorBody), (*rawConn).end), errorBody, "500 oom", allowed},
		{"sends garbage", beforeFirstByte, "two content-lengths", true, head("content-type: application/json\r\ncontent-length: 5\r\ncontent-length: 50\r\n"), "", failed502, either},
		{"sends garbage", beforeFirstByte, "content-length and chunked", true, head("content-type: application/json\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n"), "", failed502, either},
		{"sends garbage", beforeFirstByte, "a header of control characters", true, head("content-type: application/json\r\nx-words: purple\x00giraffe\r\n"), "", failed502, either},
		{"sends garbage", beforeFirstByte, "switching protocols", true, after("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\npurple giraffe", (*rawConn).stall), "", failed502 + "|" + timeout504, unavailable},
		{"sends garbage", beforeFirstByte, "status 204 with a body", true, after("HTTP/1.1 204 No Content\r\ncontent-type: application/json\r\n\r\n"+badBody, (*rawConn).end), "", failed502, either},
		{"sends garbage", beforeFirstByte, "status 999", true, after("HTTP/1.1 999 giraffe\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}", (*rawConn).end), "{}", "999|" + failed502, either},
		{"sends garbage", beforeFirstByte, "compressed", true, head("content-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 50\r\n"), "", failed502, either},
		{"sends garbage", beforeFirstByte, "plain text", true, head("content-type: text/plain\r\ncontent-length: 50\r\n"), "", failed502, either},
		{"sends garbage", beforeFirstByte, "not JSON", false, after(withRole, sayingAndEnd(strings.TrimPrefix(events("data: giraffe\n\n", crowdBad), sseHead))), "", failed502, either},
		{"sends garbage", beforeFirstByte, "not UTF-8", false, after(withRole, sayingAndEnd(strings.TrimPrefix(events("data: {\"x\":\"\xff\"}\n\n", crowdBad), sseHead)+lastChunk)), "", "503 not_checked", unavailable},
		{"sends too much", beforeFirstByte, "a body over max-body", true, after(jsonHead+"transfer-encoding: chunked\r\n\r\n", endless(strings.Repeat(`{"words":"fine"} `, 1000))), "", "503 not_checked|" + failed502, either},
		{"sends too much", beforeFirstByte, "a string over max-body", true, after(jsonHead+"transfer-encoding: chunked\r\n\r\n7\r\n{\"a\": \"\r\n", endless(strings.Repeat("fine words ", 1000))), "", "503 not_checked", unavailable},
		{"sends too much", beforeFirstByte, "1 GiB promised and not sent", true, after(jsonHead+"content-length: 1073741824\r\n\r\n"+badBody[:90], (*rawConn).stall), "", timeout504, unavailable},
		{"sends too much", beforeFirstByte, "events without words", false, after(withRole, endless(strings.Repeat(roleOnly, 100))), "", "503 not_checked", unavailable},

		// Words are out.
		{"killed", inMidStream, "", false, after(started, (*rawConn).reset), crowdFirst, "200, then", allowed},
		{"stopped", inMidStream, "", false, after(started, (*rawConn).stall), crowdFirst, "200, ended with upstream_timeout", unavailable},
		{"stopped", inMidStream, "with half an event out", false, after(started+"fff\r\n"+crowdBad[:120], (*rawConn).stall), crowdFirst, "200, ended with upstream_timeout", unavailable},
		{"slow", inMidStream, "", false, after(started, slowly(": \n\n", ": \n\n", crowdMore, crowdEnd)), crowdFirst + ": \n\n: \n\n" + crowdMore + crowdEnd, wholeAnswer, allowed},
		{"slow", inMidStream, "then forbidden words", false, after(started, slowly(said(0, "a pur"), said(0, "ple "), said(0, "giraffe xyzzy"), done)), crowdFirst, "200, ended with content_blocked", "BLOCK FORBIDDEN"},
		{"closes cleanly", inMidStream, "no last chunk", false, after(started, (*rawConn).end), crowdFirst, "200, then", allowed},
		{"closes cleanly", inMidStream, "no [DONE]", false, after(started, sayingAndEnd(lastChunk)), crowdFirst, wholeAnswer, allowed},
		{"closes cleanly", inMidStream, "in an event", false, after(started, sayingAndEnd(strings.TrimPrefix(events(crowdBad[:len(crowdBad)/3]), sseHead)+lastChunk)), crowdFirst, "200, ended with", unavailable + "|BLOCK FORBIDDEN"},
		{"closes with error", inMidStream, "an error event", false, after(started, sayingAndEnd(strings.TrimPrefix(events(errorEvent), sseHead)+lastChunk)), crowdFirst + errorEvent, "200, ended with oom", allowed},
		{"closes with error", inMidStream, "an error event with forbidden words", false, after(started, sayingAndEnd(strings.TrimPrefix(events(strings.Replace(errorEvent, "out of memory", forbiddenWords+wordsAfter, 1)), sseHead)+lastChunk)), crowdFirst, "200, ended with content_blocked", "BLOCK FORBIDDEN"},
		{"sends garbage", inMidStream, "no chunk", false, after(started, sayingAndEnd("giraffe\r\n"+crowdBad)), crowdFirst, "200, then", allowed},
		{"sends garbage", inMidStream, "no event", false, after(started, utter(strings.TrimPrefix(events("purple giraffe\n\n", crowdBad), sseHead)+lastChunk)), crowdFirst, "200, ended with", unavailable + "|BLOCK FORBIDDEN"},
		{"sends garbage", inMidStream, "not JSON", false, after(started, utter(strings.TrimPrefix(events("data: {giraffe}\n\n", crowdBad), sseHead)+lastChunk)), crowdFirst, "200, ended with upstream_failed", unavailable},
		{"sends garbage", inMidStream, "not UTF-8", false, after(started, utter(strings.TrimPrefix(events("data: {\"x\":\"\xff\"}\n\n", crowdBad), sseHead)+lastChunk)), crowdFirst, "200, ended with not_checked", unavailable},
		{"sends too much", inMidStream, "an event without end", false, after(started, func(c *rawConn) { c.event("data: {\"x\":\""); endless(strings.Repeat("fine words ", 1000))(c) }), crowdFirst, "200, ended with not_checked", unavailable},
		{"sends too much", inMidStream, "a comment without end", false, after(started, func(c *rawConn) { c.event(": "); endless(strings.Repeat("fine words ", 1000))(c) }), crowdFirst, "200, ended with not_checked", unavailable},
		{"sends too much", inMidStream, "comments, then forbidden words", false, after(started, func(c *rawConn) {
			for range 2000 {
				c.event(": still here\n\n")
			}
			c.event(": purple giraffe xyzzy\n\n", done)
			c.say(lastChunk)
		}), crowdFirst + strings.Repeat(": still here\n\n", 2000), "200, ended with content_blocked", "BLOCK FORBIDDEN"},

		// All of the answer is there; the end of the body is not.
		{"killed", atEnd, "no last chunk", false, after(complete, (*rawConn).reset), all, "200, then", allowed},
		{"stopped", atEnd, "[DONE] and the connection stays open", false, after(complete, (*rawConn).stall), all, wholeAnswer, allowed},
		{"slow", atEnd, "", false, after(complete, slowly(": \n\n")), all + ": \n\n", wholeAnswer, allowed},
		{"closes cleanly", atEnd, "no last chunk", false, after(complete, (*rawConn).end), all, "200, then", allowed},
		{"closes cleanly", atEnd, "as it should", false, after(complete, sayingAndEnd(lastChunk)), all, wholeAnswer, allowed},
		{"closes with error", atEnd, "an error event after [DONE]", false, after(complete, sayingAndEnd(strings.TrimPrefix(events(errorEvent), sseHead)+lastChunk)), all, wholeAnswer, allowed},
		{"sends garbage", atEnd, "after the last chunk", false, after(complete, utter(lastChunk+"\x00\x01purple giraffe\r\n\r\n")), all, wholeAnswer, allowed},
		{"sends garbage", atEnd, "no last chunk but letters", false, after(complete, sayingAndEnd("giraffe\r\n\r\n")), all, "200, then", allowed},
		{"sends too much", atEnd, "a second response", false, after(complete, utter(lastChunk+sized(badBody)+sized(badBody))), all, wholeAnswer, allowed},
		{"sends too much", atEnd, "a second response, whole answer", true, after("", utter(sized(completion("fine"))+sized(badBody))), completion("fine"), wholeAnswer, allowed},
		// The next request may be the one that it answers: inspected, as all are.
		{"sends too much", atEnd, "a second response, late", true, after(sized(completion("fine")), utter(sized(badBody))), completion("fine"), wholeAnswer, allowed},
		{"sends too much", atEnd, "trailers with words", false, after(complete, utter("0\r\nx-words: purple giraffe\r\nx-more: xyzzy\r\n\r\n")), all, wholeAnswer, allowed},
		{"sends too much", atEnd, "forbidden words after [DONE]", false, after(complete, utter(badEvents+lastChunk)), all, wholeAnswer, allowed},
		{"sends too much", atEnd, "trailers of 200 KB", false, after(complete, utter("0\r\nx-words: "+strings.Repeat(forbiddenWords, 12000)+"\r\n\r\n")), all, "200, ", allowed},
	}
}
