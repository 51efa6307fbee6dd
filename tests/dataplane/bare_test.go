package dataplane

import (
	"context"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
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

// processor is what a bare Envoy asks.
type processor int

const (
	noProcessor   processor = iota // none: the filter is taken out
	noopProcessor                  // one that lets everything pass
	deadProcessor                  // one that does not answer
)

// startBare starts an Envoy in front of the upstream, with what is changed.
func startBare(t testing.TB, upstream *url.URL, asks processor, change ...func(*bootstrapv3.Bootstrap)) bare {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "bare-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	bin, err := envoy.Finder{Cache: filepath.Join(cache, "confidential-safety"), Log: slog.New(slog.DiscardHandler)}.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key, err := attest.NewTLSKey([]string{"127.0.0.1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	secrets := envoy.NewSecrets()
	if err := secrets.SetTLS(key.Chain, key.KeyPEM()); err != nil {
		t.Fatal(err)
	}
	settings := envoy.Settings{
		Listen: "127.0.0.1:0", Upstream: upstream, PolicyVersion: "7.1.0-test",
		Routes: []envoy.Route{
			{Method: http.MethodPost, Path: chatPath}, {Method: http.MethodPost, Path: "/v1/messages", Anthropic: true},
		},
		ExtProcSocket: filepath.Join(dir, "ext"), SDSSocket: filepath.Join(dir, "sds"), AdminSocket: filepath.Join(dir, "adm"),
		Connections: 1024, ConnectionStreams: 100, HeaderKB: 60, Headers: 100, Requests: 1024, Memory: 1 << 30,
		StreamIdle: time.Hour, StreamMax: 2 * time.Hour, DrainTimeout: time.Second,
	}
	l, err := net.Listen("unix", settings.SDSSocket)
	if err != nil {
		t.Fatal(err)
	}
	sds := grpc.NewServer()
	secrets.Register(context.Background(), sds)
	go func() { _ = sds.Serve(l) }()
	t.Cleanup(sds.Stop)
	if asks == noopProcessor {
		noop := exec.Command(os.Args[0])
		noop.Env = append(environment(), noopSocket+"="+settings.ExtProcSocket)
		if err := noop.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = noop.Process.Kill(); _ = noop.Wait() })
	}
	boot, err := envoy.Bootstrap(settings)
	if err != nil {
		t.Fatal(err)
	}
	if asks == noProcessor {
		withoutProcessor(t, boot)
	}
	for _, f := range change {
		f(boot)
	}
	text, err := envoy.Marshal(boot)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "envoy.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	child, err := envoy.Start(bin, file, envoy.LogText, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		child.Stop(ctx)
	})
	admin := envoy.NewAdmin(settings.AdminSocket)
	var address string
	waitFor(t, "envoy", func() bool {
		address, err = admin.Address(t.Context())
		return err == nil && admin.Ready(t.Context()) == nil
	})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(key.CA)
	return bare{"https://" + address, roots}
}

func withoutProcessor(t testing.TB, boot *bootstrapv3.Bootstrap) {
	t.Helper()
	filter := boot.GetStaticResources().GetListeners()[0].GetFilterChains()[0].GetFilters()[0]
	manager := new(hcmv3.HttpConnectionManager)
	if err := filter.GetTypedConfig().UnmarshalTo(manager); err != nil {
		t.Fatal(err)
	}
	manager.HttpFilters = manager.HttpFilters[1:]
	packed, err := anypb.New(manager)
	if err != nil {
		t.Fatal(err)
	}
	filter.GetTypedConfig().Value = packed.GetValue()
}
