package extproc

import (
	"bytes"
	"cmp"
	"net/http"
	"net/url"
	"path"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

// local answers a request that is not inspected: one for the sidecar itself, or
// one for nothing. Neither ever reaches the upstream. The answer goes through
// Envoy as an immediate response, so that there is one way to this listener's
// upstream and none around the processor.
func (x *exchange) local(headers *corev3.HeaderMap) error {
	target, err := url.ParseRequestURI(first(headers, ":path"))
	// A path that could be written in another way is another path.
	if err != nil || target.RawPath != "" || path.Clean(target.Path) != target.Path || first(headers, ":method") == http.MethodHead {
		return refuseNotFound
	}
	r := (&http.Request{
		Method: first(headers, ":method"),
		URL:    target,
		Host:   first(headers, ":authority"),
		Header: make(http.Header),
		Body:   http.NoBody,
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(x.ctx)
	for _, name := range []string{"authorization", "x-api-key", "accept"} {
		for _, v := range header(headers, name) {
			r.Header.Add(name, v)
		}
	}
	w := &answer{header: make(http.Header)}
	x.srv.cfg.Local.ServeHTTP(w, r)
	if w.status == http.StatusNotFound || w.status == http.StatusMethodNotAllowed {
		return refuseNotFound
	}
	var set []*corev3.HeaderValueOption
	for name := range w.header {
		set = append(set, setHeader(strings.ToLower(name), w.header.Get(name)))
	}
	if err := x.immediate(cmp.Or(w.status, http.StatusOK), set, w.body.Bytes()); err != nil {
		return err
	}
	return errAnswered
}

// answer is the http.ResponseWriter of a local answer.
type answer struct {
	header http.Header
	status int // 0 until it is written
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// WriteHeader takes the first status, as net/http does.
func (a *answer) WriteHeader(status int) { a.status = cmp.Or(a.status, status) }
