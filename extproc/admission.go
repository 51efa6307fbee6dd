package extproc

import (
	"net/http"
	"sync/atomic"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

// The refusals of a processor that has enough to do. They say when to come
// again, and SDKs do.
var (
	refuseBusy = &refusal{http.StatusTooManyRequests,
		"Too many requests are being served at once.", "rate_limit_error", CodeTooManyRequests, false}
	refuseOverloaded = &refusal{http.StatusServiceUnavailable,
		"Too much is being checked at once.", "overloaded_error", CodeOverloaded, false}
)

// retryAfter is how long those who were refused so should wait, in seconds.
const retryAfter = "1"

// headers are those of the refusal's answer.
func (r *refusal) headers() []*corev3.HeaderValueOption {
	set := []*corev3.HeaderValueOption{setHeader(contentTypeHeader, jsonMedia)}
	if r == refuseBusy || r == refuseOverloaded {
		set = append(set, setHeader("retry-after", retryAfter))
	}
	return set
}

// admit lets an exchange of an inspected API go on, unless as many do as may.
// What the sidecar answers itself, such as its health, does not count: load
// balancers ask for it when there is most to do.
func (x *exchange) admit() error {
	if x.srv.admitted.Add(1) > int64(x.srv.cfg.MaxRequests) {
		x.srv.admitted.Add(-1)
		return refuseBusy
	}
	x.admitted = true
	return nil
}

// crowded reports whether so many exchanges run that those which are refused
// must go at once, read or not.
func (s *Server) crowded() bool { return s.active.Load() > int64(s.cfg.MaxRequests)*3/2 }

// release gives back what an exchange took that all share. Its owner calls it at
// its end.
func (x *exchange) release() {
	x.response.Close()
	if x.admitted {
		x.admitted = false
		x.srv.admitted.Add(-1)
	}
}

// Budget is the memory that all bodies under inspection together may take, in
// bytes. Requests may take three quarters of it, so that answers which are
// under way are not lost to requests that could come again.
type Budget struct {
	limit int64
	used  atomic.Int64
}

// NewBudget returns a budget of so many bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit} }

// Used is how many bytes of it are taken.
func (b *Budget) Used() int64 { return b.used.Load() }

// Requests returns the part of the budget that requests draw on.
func (b *Budget) Requests() *Share { return &Share{b, b.limit / 4 * 3} }

// Responses returns the part of the budget that responses draw on: all of it.
func (b *Budget) Responses() *Share { return &Share{b, b.limit} }

// Share is an [inspect.Budget]: what one direction may draw on a budget while
// less than upTo of all of it is taken.
type Share struct {
	of   *Budget
	upTo int64
}

// Take implements inspect.Budget.
func (s *Share) Take(n int) bool {
	for {
		used := s.of.used.Load()
		if used > s.upTo-int64(n) {
			return false
		}
		if s.of.used.CompareAndSwap(used, used+int64(n)) {
			return true
		}
	}
}

// Give implements inspect.Budget.
func (s *Share) Give(n int) { s.of.used.Add(-int64(n)) }
