package dataplane

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Content goes to an https upstream that is known by its CA or its key, and to
// no other.
func TestUpstreamTLS(t *testing.T) {
	m := newModel()
	m.srv.StartTLS()
	t.Cleanup(m.srv.Close)
	cert := m.srv.Certificate()
	spki := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	good := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(good, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	other, _ := common(t)
	for name, tc := range map[string]struct {
		args   []string
		status int
	}{
		"by CA":           {[]string{"--upstream-ca", good}, http.StatusOK},
		"by key":          {[]string{"--upstream-spki", hex.EncodeToString(spki[:])}, http.StatusOK},
		"by both":         {[]string{"--upstream-ca", good, "--upstream-spki", hex.EncodeToString(spki[:])}, http.StatusOK},
		"another CA":      {[]string{"--upstream-ca", other.caFile}, http.StatusBadGateway},
		"another key":     {[]string{"--upstream-spki", strings.Repeat("ab", 32)}, http.StatusBadGateway},
		"CA, another key": {[]string{"--upstream-ca", good, "--upstream-spki", strings.Repeat("ab", 32)}, http.StatusBadGateway},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, append(tc.args, "--upstream", m.srv.URL)...)
			token, received := m.answer(whole(completion("fine")))
			g := ask(t, s.client, s.url, token, prompt("hi"))
			if g.status != tc.status || (tc.status == http.StatusOK) != (g.body == completion("fine")) {
				t.Errorf("%d %s", g.status, g.body)
			}
			if n := len(received.requests()); (n == 1) != (tc.status == http.StatusOK) {
				t.Errorf("%d requests reached the upstream", n)
			}
		})
	}
}

// The certificate is for the key of this start, from an authority of this
// start, and old protocols are refused.
func TestListenerTLS(t *testing.T) {
	s, _ := common(t)
	address := strings.TrimPrefix(s.url, "https://")
	for _, name := range []string{"localhost", "127.0.0.1"} {
		conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: s.roots, ServerName: name})
		if err != nil {
			t.Fatal(err)
		}
		leaf := conn.ConnectionState().PeerCertificates[0]
		if leaf.IsCA || leaf.PublicKeyAlgorithm != x509.ECDSA || conn.ConnectionState().Version != tls.VersionTLS13 {
			t.Errorf("%s: %v", name, leaf)
		}
		_ = conn.Close()
	}
	if conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: s.roots, ServerName: "localhost", MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.1 was accepted")
	}
}
