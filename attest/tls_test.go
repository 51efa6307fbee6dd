package attest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"
)

var (
	tlsNames = []string{"localhost", "safety.example", "127.0.0.1", "::1", "10.1.2.3"}
	start    = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
)

func newTLSKey(t *testing.T) *TLSKey {
	t.Helper()
	k, err := NewTLSKey(tlsNames, start)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// parseOne reads PEM that must hold one certificate and nothing else.
func parseOne(t *testing.T, text []byte) *x509.Certificate {
	t.Helper()
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" || len(rest) != 0 {
		t.Fatalf("not one certificate: %q", text)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func verifyAt(k *TLSKey, leaf *x509.Certificate, name string, at time.Time) error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(k.CA)
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, DNSName: name, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return err
}

func TestTLSKeyVerifies(t *testing.T) {
	k := newTLSKey(t)
	leaf := parseOne(t, k.Chain)
	for _, name := range tlsNames {
		if err := verifyAt(k, leaf, name, start); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"other.example", "sub.localhost", "127.0.0.2", "::2", "confidential-safety"} {
		if err := verifyAt(k, leaf, name, start); err == nil {
			t.Errorf("%s: verified", name)
		}
	}
	if err := verifyAt(newTLSKey(t), leaf, "localhost", start); err == nil {
		t.Error("verified by the authority of another key")
	}
}

func TestTLSKeyValidity(t *testing.T) {
	k := newTLSKey(t)
	leaf := parseOne(t, k.Chain)
	for _, tc := range []struct {
		after time.Duration
		good  bool
	}{
		{-skew - time.Second, false},
		{-skew, true},
		{0, true},
		{validity, true},
		{validity + time.Second, false},
	} {
		if err := verifyAt(k, leaf, "localhost", start.Add(tc.after)); (err == nil) != tc.good {
			t.Errorf("%v after the start: %v", tc.after, err)
		}
	}
}

func TestTLSKeyForms(t *testing.T) {
	k := newTLSKey(t)
	leaf, ca := parseOne(t, k.Chain), parseOne(t, k.CA)
	if leaf.IsCA || !leaf.BasicConstraintsValid || leaf.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Error("the leaf can do more than serve")
	}
	if !ca.IsCA || ca.MaxPathLen != 0 || !ca.MaxPathLenZero || ca.KeyUsage != x509.KeyUsageCertSign {
		t.Error("the authority can do more than sign leaves, or not that")
	}
	public, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		t.Fatalf("the key is a %T", leaf.PublicKey)
	}
	if sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo); sum != k.SPKI {
		t.Errorf("SPKI is %x, the certificate's %x", k.SPKI, sum)
	}
	if bytes.Equal(leaf.RawSubjectPublicKeyInfo, ca.RawSubjectPublicKeyInfo) {
		t.Error("leaf and authority share a key")
	}
	if leaf.SerialNumber.Sign() <= 0 || leaf.SerialNumber.BitLen() > 127 {
		t.Errorf("serial number %v", leaf.SerialNumber)
	}
	if block, rest := pem.Decode(k.KeyPEM()); block == nil || block.Type != "PRIVATE KEY" || len(rest) != 0 {
		t.Error("the key is not one PKCS #8 block")
	}
	if _, err := tls.X509KeyPair(k.Chain, k.KeyPEM()); err != nil {
		t.Errorf("key and certificate: %v", err)
	}
}

func TestTLSKeysDiffer(t *testing.T) {
	a, b := newTLSKey(t), newTLSKey(t)
	leafA, leafB := parseOne(t, a.Chain), parseOne(t, b.Chain)
	if a.SPKI == b.SPKI || bytes.Equal(a.KeyPEM(), b.KeyPEM()) || bytes.Equal(a.CA, b.CA) || leafA.SerialNumber.Cmp(leafB.SerialNumber) == 0 {
		t.Error("two starts have something in common")
	}
}

func TestTLSKeyBadName(t *testing.T) {
	_, err := NewTLSKey([]string{"bücher.example"}, start)
	if err == nil || !strings.HasPrefix(err.Error(), "making the TLS key: ") {
		t.Errorf("error %v", err)
	}
}
