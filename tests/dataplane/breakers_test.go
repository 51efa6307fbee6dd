package dataplane

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// What a client gets when a cluster's limit is reached: of the upstream, behind
// the processor, and of the processor. Nothing passes in either case.
func TestClusterLimits(t *testing.T) {
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	upstream, err := url.Parse(m.srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan struct{})
	t.Cleanup(func() { close(seen) })
	busy, _ := m.answer(paused(said(0, "one. "), seen, done))
	token, received := m.answer(whole(completion("fine")))
	for cluster, code := range map[string]string{"upstream": "overloaded", "ext_proc": "not_checked"} {
		t.Run(cluster, func(t *testing.T) {
			b := startBare(t, upstream, noopProcessor, func(boot *bootstrapv3.Bootstrap) {
				for _, c := range boot.GetStaticResources().GetClusters() {
					if c.GetName() == cluster {
						l := c.GetCircuitBreakers().GetThresholds()[0]
						l.MaxRequests, l.MaxConnections = wrapperspb.UInt32(1), wrapperspb.UInt32(1)
						if cluster == "upstream" {
							l.MaxPendingRequests = wrapperspb.UInt32(0)
						}
					}
				}
			})
			c := &http.Client{Transport: &http.Transport{
				TLSClientConfig: &tls.Config{RootCAs: b.roots, NextProtos: []string{"h2"}}, ForceAttemptHTTP2: true,
			}}
			t.Cleanup(c.CloseIdleConnections)
			if cluster == "ext_proc" { // else no connection may even be waited for
				waitFor(t, "an answer", func() bool { return ask(t, c, b.url, token, prompt("hi")).status == http.StatusOK })
				r := open(t, c, request(t, http.MethodPost, b.url+chatPath, busy, prompt("hi", streaming)))
				r.until(t, said(0, "one. "))
			}
			before := len(received.requests())
			waitFor(t, "a refusal", func() bool {
				g := ask(t, c, b.url, token, prompt("hi"))
				return g.status == http.StatusServiceUnavailable && parseRefusal(t, g.body).Error.Code == code
			})
			if n := len(received.requests()); n != before {
				t.Error("the upstream got the request")
			}
		})
	}
}
