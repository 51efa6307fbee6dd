package dataplane

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkAddedRoundTrip sends each request, of 1 KB and answered with 1 KB,
// in turn through an Envoy without a processor, through one with a processor
// that does nothing, and through the sidecar: one connection each. It reports
// the medians and, as the figure to watch, by how many times the round trip
// that the no-op processor adds is exceeded.
func BenchmarkAddedRoundTrip(b *testing.B) {
	for proto, protocols := range map[string][]string{"h1": {"http/1.1"}, "h2": {"h2"}} {
		b.Run(proto, func(b *testing.B) { addedRoundTrip(b, protocols) })
	}
}

func addedRoundTrip(b *testing.B, protocols []string) {
	m := newModel()
	m.srv.Start()
	b.Cleanup(m.srv.Close)
	upstream, err := url.Parse(m.srv.URL)
	if err != nil {
		b.Fatal(err)
	}
	words := strings.Repeat("The quick brown fox jumps over the lazy dog. ", 20)
	token, _ := m.answer(whole(completion(words)))
	sidecar := start(b, "--upstream", m.srv.URL)
	direct, nothing := startBare(b, upstream, noProcessor), startBare(b, upstream, noopProcessor)

	targets := []struct {
		name  string
		base  string
		roots *x509.CertPool
	}{{"direct", direct.url, direct.roots}, {"noop", nothing.url, nothing.roots}, {"sidecar", sidecar.url, sidecar.roots}}
	var clients []*http.Client
	for _, target := range targets {
		clients = append(clients, &http.Client{Transport: &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: target.roots, NextProtos: protocols},
			ForceAttemptHTTP2: protocols[0] == "h2",
		}})
	}
	times := make([][]float64, len(targets))
	round := func(i int) {
		from := time.Now()
		if g := ask(b, clients[i], targets[i].base, token, prompt(words)); g.status != http.StatusOK {
			b.Fatalf("%s: %d %s", targets[i].name, g.status, g.body)
		}
		times[i] = append(times[i], float64(time.Since(from).Microseconds()))
	}
	for range 200 {
		for i := range targets {
			round(i)
		}
	}
	for i := range times {
		times[i] = times[i][:0]
	}
	for b.Loop() {
		for i := range targets {
			round(i)
		}
	}
	at := func(i, percent int) float64 {
		slices.Sort(times[i])
		return times[i][(len(times[i])-1)*percent/100]
	}
	for i, target := range targets {
		b.ReportMetric(at(i, 50), "p50-us-"+target.name)
		b.ReportMetric(at(i, 99), "p99-us-"+target.name)
	}
	b.ReportMetric((at(2, 50)-at(0, 50))/(at(1, 50)-at(0, 50)), "x-noop-added")
}
