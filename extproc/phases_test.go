package extproc

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/difflabai/confidential-safety/verdict"
)

// bubble runs a test where time is synctest's and with a server of its own.
func bubble(t *testing.T, f func(t *testing.T, h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newHouse(t)) })
}

// Every order of messages, and not only those that Envoy keeps to: the fake
// stream fails the test if one ends with OK before both directions have their
// answer. Sequences are only made longer while their exchange still waits.
func TestEveryOrder(t *testing.T) {
	type letter struct {
		name string
		m    *extprocv3.ProcessingRequest
	}
	for kind, words := range map[string]struct {
		head *extprocv3.ProcessingRequest
		body string
	}{
		"json": {respJSON(), says("hi")},
		"sse":  {respSSE(), event("hi. ")},
	} {
		t.Run(kind, func(t *testing.T) {
			alphabet := []letter{
				{"H>", post()}, {"G>", get("/v1/health")}, {"J>", reqBody(ask("hi"), false)}, {"E>", reqBody("", true)}, {"W>", reqBody(" ", false)}, {"T>", reqTrailers()},
				{"H<", words.head}, {"H<.", respHeaders(true)}, {"J<", respBody(words.body, false)}, {"E<", respBody("", true)}, {"W<", respBody("\n", false)}, {"T<", respTrailers()},
				{"none", &extprocv3.ProcessingRequest{}},
			}
			count, good := 0, 0
			open := [][]letter{nil}
			for range 7 {
				var longer [][]letter
				for _, prefix := range open {
					for _, l := range alphabet {
						sequence := append(prefix[:len(prefix):len(prefix)], l)
						count++
						h := newHouse(t)
						f := newFakeStream(t, len(sequence))
						var names []string
						for _, l := range sequence {
							f.in <- l.m
							names = append(names, l.name)
						}
						close(f.in)
						err := f.serve(h.Server)
						inspected := sequence[0].name == "H>"
						if n := len(h.recorder.verdicts); n > 1 || inspected != (n == 1) {
							t.Fatalf("%s: %d verdicts", strings.Join(names, " "), n)
						}
						switch {
						case errors.Is(err, context.Canceled):
							t.Fatal(err)
						case status.Code(err) == codes.Aborted:
							longer = append(longer, sequence)
						case err == nil && f.immediate == nil:
							good++
						}
					}
				}
				open = longer
			}
			t.Logf("%d sequences, %d of them answered by the upstream", count, good)
			if good == 0 {
				t.Error("no sequence came to its end")
			}
		})
	}
}

func TestHappyJSON(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		in, out := ask("the quick fox"), says("a good day")
		e.send(post("authorization", "bearer x", "cookie", "fox", "x-request-id", "mine", "content-length", "9", "x-envoy-retry-on", "5xx"))
		e.send(reqBody(in[:10], false), reqBody(in[10:], false))
		e.expect("") // headers and all wait for the verdict
		e.send(reqBody("", true))
		e.expect("H> B>.")
		e.send(respHeaders(false, "content-type", "application/json", "content-length", "9", "set-cookie", "fox", "x-request-id", "theirs", "retry-after", "3", "cache-control", "say fox"))
		e.send(respBody(out[:20], false), respBody(out[20:], false))
		e.expect("H> B>.")
		h.recorder.expectNone(t)
		e.send(respBody("", true))
		e.expectEnd("H> B>. H< B<.", codes.OK)
		if string(e.body[0]) != in || string(e.body[1]) != out {
			t.Errorf("bodies changed: %q %q", e.body[0], e.body[1])
		}
		for i, want := range []string{"cookie content-length x-envoy-retry-on", "content-length set-cookie cache-control"} {
			m := e.headers[i].GetResponse().GetHeaderMutation()
			if got := strings.Join(m.GetRemoveHeaders(), " "); got != want {
				t.Errorf("removed %q, want %q", got, want)
			}
			if id, length := sets(m, "x-request-id"), sets(m, "content-length"); id != "id-1" || length != strconv.Itoa(len(e.body[i])) {
				t.Errorf("x-request-id %q, content-length %q", id, length)
			}
			for _, set := range m.GetSetHeaders() {
				if a := set.GetAppendAction().String(); a != "OVERWRITE_IF_EXISTS_OR_ADD" {
					t.Error(a) // a second value beside the client's
				}
			}
		}
		h.recorder.expect(t, verdict.PostInferenceGate, verdict.Allow, verdict.None)
	})
}

func TestHappyStream(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("hi"), true))
		e.send(respSSE(), respBody(roleEvent, false))
		e.expect("H> B>.") // a role is no word
		e.send(respBody(event("one. "), false))
		e.expect("H> B>. H< B<")
		e.send(respBody(event("project"), false))
		e.expect("H> B>. H< B<")
		e.send(respBody(event(" heron. "), false))
		e.expect("H> B>. H< B< B<")
		h.recorder.expectNone(t)
		e.send(respBody(doneEvent, true))
		e.expectEnd("H> B>. H< B< B< B<.", codes.OK)
		if got, want := string(e.body[1]), roleEvent+event("one. ")+event("[REDACTED]")+event(". ")+doneEvent; got != want {
			t.Errorf("stream %q\nwant   %q", got, want)
		}
		h.recorder.expect(t, verdict.PostInferenceGate, verdict.Redact, verdict.Bioterror)
	})
}

// The end of a body comes with its last bytes, as an empty message, or as
// trailers, which are dropped unread.
func TestTrailers(t *testing.T) {
	for name, c := range map[string]struct {
		req, resp []*extprocv3.ProcessingRequest
		trace     string
	}{
		"none":         {[]*extprocv3.ProcessingRequest{reqBody(ask("hi"), true)}, []*extprocv3.ProcessingRequest{respJSON(), respBody(says("hi"), true)}, "H> B>. H< B<."},
		"of request":   {[]*extprocv3.ProcessingRequest{reqBody(ask("hi"), false), reqTrailers("x", "fox")}, []*extprocv3.ProcessingRequest{respJSON(), respBody(says("hi"), true)}, "H> B> T> H< B<."},
		"of response":  {[]*extprocv3.ProcessingRequest{reqBody(ask("hi"), true)}, []*extprocv3.ProcessingRequest{respJSON(), respBody(says("hi"), false), respTrailers("x", "fox")}, "H> B>. H< B< T<"},
		"empty ones":   {[]*extprocv3.ProcessingRequest{reqBody(ask("hi"), false), {Request: &extprocv3.ProcessingRequest_RequestTrailers{}}}, []*extprocv3.ProcessingRequest{respJSON(), respBody(says("hi"), false), {Request: &extprocv3.ProcessingRequest_ResponseTrailers{}}}, "H> B> T> H< B< T<"},
		"of a stream":  {[]*extprocv3.ProcessingRequest{reqBody(ask("hi"), true)}, []*extprocv3.ProcessingRequest{respSSE(), respBody(event("hi. "), false), respTrailers("x", "fox")}, "H> B>. H< B< T<"},
		"held to them": {[]*extprocv3.ProcessingRequest{reqBody(ask("hi"), true)}, []*extprocv3.ProcessingRequest{respSSE(), respBody(event("project"), false), respTrailers("x", "fox")}, "H> B>. H< B< T<"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *house) {
				e := begin(t, h.Server)
				e.send(post())
				e.send(c.req...)
				e.send(c.resp...)
				e.expectEnd(c.trace, codes.OK)
				h.recorder.expect(t, verdict.PostInferenceGate, verdict.Allow, verdict.None)
			})
		})
	}
}

func TestPieces(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		long := strings.Repeat("day ", 50_000)
		e.send(post(), reqBody(ask(long), true), respJSON(), respBody(says(long), true))
		e.expectEnd("H> B> B> B> B>. H< B< B< B< B<.", codes.OK)
		if string(e.body[0]) != ask(long) || string(e.body[1]) != says(long) {
			t.Error("bodies changed")
		}
	})
}

// Envoy may still be sending when the exchange is over.
func TestMessagesAfterTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("codename nightjar"), true), reqTrailers(), respJSON(), respBody(says("hi"), true))
		e.expectEnd("I451", codes.OK)
		h.recorder.expect(t, verdict.PreInferenceGate, verdict.Block, verdict.Weapons)
	})
}

// An order that only a fault can bring about is no client that left: the
// verdict says that the rest was blocked.
func TestOutOfOrder(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		e := begin(t, h.Server)
		e.send(post(), reqBody(ask("hi"), true), respSSE(), respBody(event("one. "), false), respSSE())
		e.expectEnd("H> B>. H< B<", codes.Internal)
		h.recorder.expect(t, verdict.PostInferenceGate, verdict.Block, verdict.Unavailable)
	})
}
