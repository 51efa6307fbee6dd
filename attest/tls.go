package attest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net/netip"
	"time"
)

// TLSKey is the listener's key with its certificate. It is made at start and
// gone at the end.
type TLSKey struct {
	// Chain is the certificate for the key, PEM.
	Chain []byte
	// CA is the certificate of the authority that signed it, PEM, for clients
	// that know no other way to trust the key. The authority's own key existed
	// only while it signed, so that nothing else can be signed by it.
	CA []byte
	// SPKI is the SHA-256 of the key's SubjectPublicKeyInfo.
	SPKI [sha256.Size]byte

	// A function, so that whatever prints the struct does not find the key:
	// fmt reads unexported fields without asking their methods.
	key func() []byte
}

// KeyPEM returns the private key as PKCS #8 in PEM. It is for Envoy's memory.
func (k *TLSKey) KeyPEM() []byte { return k.key() }

// LogValue keeps certificates and key out of logs.
func (TLSKey) LogValue() slog.Value { return slog.StringValue("[tls key]") }

// validity is how long a certificate is good for: a day less than the most that
// clients accept of a root that a user added. The key lives as long as the
// process, so this bounds only how long a process may run.
const validity = 824 * 24 * time.Hour

// skew is how far behind a client's clock may be.
const skew = time.Hour

// NewTLSKey makes a P-256 key and a certificate for the given names, which are
// host names and IP addresses.
func NewTLSKey(names []string, now time.Time) (*TLSKey, error) {
	fail := func(err error) (*TLSKey, error) { return nil, fmt.Errorf("making the TLS key: %w", err) }
	authority, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	ca := certificate("confidential-safety authority of one start", now)
	ca.IsCA, ca.BasicConstraintsValid, ca.MaxPathLenZero = true, true, true
	ca.KeyUsage = x509.KeyUsageCertSign
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, authority.Public(), authority)
	if err != nil {
		return fail(err)
	}
	if ca, err = x509.ParseCertificate(caDER); err != nil {
		return fail(err)
	}
	leaf := certificate("confidential-safety", now)
	leaf.BasicConstraintsValid = true
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, name := range names {
		if addr, err := netip.ParseAddr(name); err == nil {
			leaf.IPAddresses = append(leaf.IPAddresses, addr.AsSlice())
		} else {
			leaf.DNSNames = append(leaf.DNSNames, name)
		}
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), authority)
	if err != nil {
		return fail(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fail(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fail(err)
	}
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	return &TLSKey{
		Chain: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leafDER}),
		CA:    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}),
		SPKI:  sha256.Sum256(spki),
		key:   func() []byte { return keyPEM },
	}, nil
}

func certificate(name string, now time.Time) *x509.Certificate {
	serial := make([]byte, 16)
	_, _ = rand.Read(serial) // never fails, see its documentation
	serial[0] &= 0x7f
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-skew),
		NotAfter:     now.Add(validity),
	}
}
