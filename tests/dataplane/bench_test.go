package dataplane

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/difflabai/confidential-safety/attest"
	"github.com/difflabai/confidential-safety/envoy"
)

// bare is an Envoy with our bootstrap and another processor, or none.
type bare struct {
	url   string
	roots *x509.CertPool
}

// startBare starts an Envoy in front of the upstream. Without filter it has no
// external processor at all.
func startBare(b *testing.B, upstream *url.URL, filter bool) bare {
	b.Helper()
	dir, err := os.MkdirTemp("/tmp", "bare-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	cache, err := os.UserCacheDir()
	if err != nil {
		b.Fatal(err)
	}
	bin, err := envoy.Finder{Cache: filepath.Join(cache, "confidential-safety"), Log: slog.New(slog.DiscardHandler)}.Find(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	key, err := attest.NewTLSKey([]string{"127.0.0.1"}, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	secrets := envoy.NewSecrets()
	if err := secrets.SetTLS(key.Chain, key.KeyPEM()); err != nil {
		b.Fatal(err)
	}
	settings := envoy.Settings{
		Listen: "127.0.0.1:0", Upstream: upstream, PolicyVersion: "bench",
		Routes:        []envoy.Route{{Method: http.MethodPost, Path: chatPath}},
		ExtProcSocket: filepath.Join(dir, "ext"), SDSSocket: filepath.Join(dir, "sds"), AdminSocket: filepath.Join(dir, "adm"),
		Connections: envoy.DefaultConnections, StreamIdle: time.Hour, DrainTimeout: time.Second,
	}
	l, err := net.Listen("unix", settings.SDSSocket)
	if err != nil {
		b.Fatal(err)
	}
	sds := grpc.NewServer()
	secrets.Register(context.Background(), sds)
	go func() { _ = sds.Serve(l) }()
	b.Cleanup(sds.Stop)
	if filter {
		processor := exec.Command(os.Args[0])
		processor.Env = append(environment(), noopSocket+"="+settings.ExtProcSocket)
		if err := processor.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = processor.Process.Kill(); _ = processor.Wait() })
	}
	boot, err := envoy.Bootstrap(settings)
	if err != nil {
		b.Fatal(err)
	}
	if !filter {
		withoutProcessor(b, boot)
	}
	text, err := envoy.Marshal(boot)
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(dir, "envoy.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		b.Fatal(err)
	}
	child, err := envoy.Start(bin, file, envoy.LogText, io.Discard)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		child.Stop(ctx)
	})
	admin := envoy.NewAdmin(settings.AdminSocket)
	var address string
	waitFor(b, "envoy", func() bool {
		address, err = admin.Address(b.Context())
		return err == nil && admin.Ready(b.Context()) == nil
	})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(key.CA)
	return bare{"https://" + address, roots}
}

func withoutProcessor(b *testing.B, boot *bootstrapv3.Bootstrap) {
	b.Helper()
	filter := boot.GetStaticResources().GetListeners()[0].GetFilterChains()[0].GetFilters()[0]
	manager := new(hcmv3.HttpConnectionManager)
	if err := filter.GetTypedConfig().UnmarshalTo(manager); err != nil {
		b.Fatal(err)
	}
	manager.HttpFilters = manager.HttpFilters[1:]
	packed, err := anypb.New(manager)
	if err != nil {
		b.Fatal(err)
	}
	filter.GetTypedConfig().Value = packed.GetValue()
}

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
	direct, nothing := startBare(b, upstream, false), startBare(b, upstream, true)

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
