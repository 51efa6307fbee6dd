package envoy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	secretv3 "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const secretType = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"

// discovery is a client of a server with the secrets, as Envoy is.
func discovery(t *testing.T, s *Secrets) (*grpc.Server, secretv3.SecretDiscoveryServiceClient) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sds")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	ctx, cancel := context.WithCancel(t.Context())
	s.Register(ctx, g)
	go func() { _ = g.Serve(l) }()
	conn, err := grpc.NewClient("unix://"+path, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		cancel()
		g.Stop()
	})
	return g, secretv3.NewSecretDiscoveryServiceClient(conn)
}

// subscription is a stream that asks for a secret, and what comes on it.
type subscription struct {
	stream  secretv3.SecretDiscoveryService_StreamSecretsClient
	replies chan *discoveryv3.DiscoveryResponse
}

// The version is of what the client has.
func subscribe(t *testing.T, c secretv3.SecretDiscoveryServiceClient, name, version string) *subscription {
	t.Helper()
	stream, err := c.StreamSecrets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := &subscription{stream, make(chan *discoveryv3.DiscoveryResponse)}
	s.ask(t, name, &discoveryv3.DiscoveryResponse{VersionInfo: version})
	go func() {
		defer close(s.replies)
		for {
			r, err := stream.Recv()
			if err != nil {
				return
			}
			select {
			case s.replies <- r:
			case <-t.Context().Done():
				return
			}
		}
	}()
	return s
}

// ask subscribes or, with the reply before, acknowledges.
func (s *subscription) ask(t *testing.T, name string, before *discoveryv3.DiscoveryResponse) {
	t.Helper()
	err := s.stream.Send(&discoveryv3.DiscoveryRequest{
		Node: &corev3.Node{Id: "confidential-safety"}, TypeUrl: secretType, ResourceNames: []string{name},
		VersionInfo: before.GetVersionInfo(), ResponseNonce: before.GetNonce(),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// next returns the next reply, which must come soon and hold the key.
func (s *subscription) next(t *testing.T, chain, key string) *discoveryv3.DiscoveryResponse {
	t.Helper()
	select {
	case r, ok := <-s.replies:
		if !ok || len(r.GetResources()) != 1 {
			t.Fatalf("stream goes on: %v, with %d secrets", ok, len(r.GetResources()))
		}
		secret := open(t, r.GetResources()[0], new(tlsv3.Secret))
		pair := secret.GetTlsCertificate()
		if secret.GetName() != tlsSecretName || string(pair.GetCertificateChain().GetInlineBytes()) != chain || string(pair.GetPrivateKey().GetInlineBytes()) != key {
			t.Fatalf("another secret: %s", secret.GetName())
		}
		return r
	case <-time.After(10 * time.Second):
		t.Fatal("no secret comes")
		return nil
	}
}

func (s *subscription) expectSilence(t *testing.T) {
	t.Helper()
	select {
	case r, ok := <-s.replies:
		t.Fatalf("stream goes on: %v, with %d secrets", ok, len(r.GetResources()))
	case <-time.After(100 * time.Millisecond):
	}
}

func TestSecretsWaitForTheKey(t *testing.T) {
	s := NewSecrets()
	_, client := discovery(t, s)
	sub := subscribe(t, client, tlsSecretName, "")
	sub.expectSilence(t)
	if err := s.SetTLS([]byte("chain 1"), []byte("key 1")); err != nil {
		t.Fatal(err)
	}
	first := sub.next(t, "chain 1", "key 1")
	sub.ask(t, tlsSecretName, first)
	sub.expectSilence(t)
	if err := s.SetTLS([]byte("chain 2"), []byte("key 2")); err != nil {
		t.Fatal(err)
	}
	if second := sub.next(t, "chain 2", "key 2"); second.GetVersionInfo() == first.GetVersionInfo() {
		t.Error("the new key has the version of the old one")
	}
	late := subscribe(t, client, tlsSecretName, "")
	late.next(t, "chain 2", "key 2")
}

// TestSecretsAfterARestart has an Envoy that names the version that it got from
// a sidecar before.
func TestSecretsAfterARestart(t *testing.T) {
	var before *discoveryv3.DiscoveryResponse
	for _, key := range []string{"first", "second", "second"} {
		s := NewSecrets()
		if err := s.SetTLS([]byte("chain of "+key), []byte(key)); err != nil {
			t.Fatal(err)
		}
		_, client := discovery(t, s)
		sub := subscribe(t, client, tlsSecretName, before.GetVersionInfo())
		before = sub.next(t, "chain of "+key, key)
	}
}

func TestSecretsOfAnotherName(t *testing.T) {
	s := NewSecrets()
	if err := s.SetTLS([]byte("chain"), []byte("key")); err != nil {
		t.Fatal(err)
	}
	_, client := discovery(t, s)
	select {
	case r := <-subscribe(t, client, "other", "").replies:
		if len(r.GetResources()) != 0 {
			t.Error("it is given the key")
		}
	case <-time.After(100 * time.Millisecond):
	}
}

func TestSecretsServeNothingElse(t *testing.T) {
	g, _ := discovery(t, NewSecrets())
	info := g.GetServiceInfo()
	if _, ok := info["envoy.service.secret.v3.SecretDiscoveryService"]; !ok || len(info) != 1 {
		t.Errorf("services %v", info)
	}
}

func TestSecretsRefuseHalves(t *testing.T) {
	s := NewSecrets()
	_, client := discovery(t, s)
	for _, pair := range [][2]string{{"", ""}, {"chain", ""}, {"", "key"}} {
		wantError(t, fmt.Sprint(pair), s.SetTLS([]byte(pair[0]), []byte(pair[1])), "tls secret: empty certificate or key")
	}
	subscribe(t, client, tlsSecretName, "").expectSilence(t)
	if err := s.SetTLS([]byte("chain"), []byte("key")); err != nil {
		t.Fatal(err)
	}
	wantError(t, "later", s.SetTLS(nil, nil), "empty")
	subscribe(t, client, tlsSecretName, "").next(t, "chain", "key")
}

func TestSecretsAreNotPrinted(t *testing.T) {
	const key = "nightjar"
	s := NewSecrets()
	if err := s.SetTLS([]byte("chain"), []byte(key)); err != nil {
		t.Fatal(err)
	}
	held := struct {
		S    *Secrets
		Copy Secrets
		in   Secrets
	}{s, *s, *s}
	var said bytes.Buffer
	for _, a := range []any{s, *s, held, &held, []any{s, *s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&said, verb, a)
		}
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		said.Write(text)
		for _, h := range []slog.Handler{slog.NewTextHandler(&said, nil), slog.NewJSONHandler(&said, nil)} {
			slog.New(h).Info("m", "secrets", a)
		}
	}
	for _, form := range []string{key, fmt.Sprintf("%x", key), fmt.Sprintf("%X", key), strings.Trim(fmt.Sprintf("%d", []byte(key)), "[]"), "bmlnaHRqYXI"} {
		if strings.Contains(said.String(), form) {
			t.Errorf("the key is printed as %s", form)
		}
	}
	if got := s.String(); got != "*envoy.Secrets" {
		t.Errorf("String: %s", got)
	}
}
