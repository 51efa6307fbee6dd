package dataplane

import (
	"io"
	"net/http"
	"testing"
	"time"
)

// A server that keeps the connection open behind the end mark does not keep the
// client waiting, and what it says there goes nowhere.
func TestBehindTheEndMark(t *testing.T) {
	s, m := common(t)
	for _, d := range dialects() {
		for name, more := range map[string]string{"silence": "", "words": d.stream("purple giraffe"), "garbage": "data: {\n\n", "half an event": "data: {"} {
			t.Run(d.name+" "+name, func(t *testing.T) {
				t.Parallel()
				token, _ := m.answer(func(w http.ResponseWriter, r *http.Request) {
					pieces(d.stream("fine"))(w, r)
					_, _ = io.WriteString(w, more)
					_ = http.NewResponseController(w).Flush()
					<-r.Context().Done() // Envoy lets go of it
				})
				begun := time.Now()
				g := d.ask(t, s.client2, s.url, token, d.request("hi", streaming))
				if g.status != http.StatusOK || g.body != d.stream("fine") || g.err != nil {
					t.Errorf("%d %v after %v: %s", g.status, g.err, time.Since(begun), g.body)
				}
				if v := s.verdict(t, g.requestID); v.Action != "ALLOW" {
					t.Errorf("%+v", v)
				}
			})
		}
	}
}
