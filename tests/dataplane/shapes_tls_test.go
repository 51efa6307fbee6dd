package dataplane

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Not one byte of a request goes to an https upstream that is not the known one,
// or that speaks an old protocol.
func TestUpstreamsNotTrusted(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	hour := time.Hour
	here := []net.IP{net.IPv4(127, 0, 0, 1)}
	good := ca.leaf(t, x509.Certificate{IPAddresses: here, NotAfter: time.Now().Add(hour)})
	current := &tls.Config{Certificates: []tls.Certificate{good}}
	with := func(c x509.Certificate) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{ca.leaf(t, c)}}
	}
	wrongKey := strings.Repeat("ab", 32)
	for name, tc := range map[string]struct {
		server *tls.Config // nil: no TLS at all
		args   []string
		status int
	}{
		"good":           {current, []string{"--upstream-ca", ca.file}, http.StatusOK},
		"good by key":    {current, []string{"--upstream-spki", spkiOf(t, good)}, http.StatusOK},
		"another CA":     {current, []string{"--upstream-ca", other.file}, http.StatusBadGateway},
		"another key":    {current, []string{"--upstream-spki", wrongKey}, http.StatusBadGateway},
		"CA, other key":  {current, []string{"--upstream-ca", ca.file, "--upstream-spki", wrongKey}, http.StatusBadGateway},
		"key, other CA":  {current, []string{"--upstream-ca", other.file, "--upstream-spki", spkiOf(t, good)}, http.StatusBadGateway},
		"expired":        {with(x509.Certificate{IPAddresses: here, NotAfter: time.Now().Add(-hour)}), []string{"--upstream-ca", ca.file}, http.StatusBadGateway},
		"not yet valid":  {with(x509.Certificate{IPAddresses: here, NotBefore: time.Now().Add(hour), NotAfter: time.Now().Add(2 * hour)}), []string{"--upstream-ca", ca.file}, http.StatusBadGateway},
		"another name":   {with(x509.Certificate{DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 2)}, NotAfter: time.Now().Add(hour)}), []string{"--upstream-ca", ca.file}, http.StatusBadGateway},
		"address as DNS": {with(x509.Certificate{DNSNames: []string{"127.0.0.1"}, NotAfter: time.Now().Add(hour)}), []string{"--upstream-ca", ca.file}, http.StatusBadGateway},
		"no name":        {with(x509.Certificate{NotAfter: time.Now().Add(hour)}), []string{"--upstream-ca", ca.file}, http.StatusBadGateway},
		"TLS 1.1": {&tls.Config{Certificates: current.Certificates, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
			[]string{"--upstream-ca", ca.file}, http.StatusBadGateway},
		"no TLS": {nil, []string{"--upstream-ca", ca.file}, http.StatusBadGateway},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := newRecorder(t)
			seen := up.behind(t, tc.server)
			s := start(t, append(tc.args, "--upstream", "https://"+seen.address)...)
			g := ask(t, s.client, s.url, "Bearer secret-token", hi)
			up.mu.Lock()
			defer up.mu.Unlock()
			if tc.status == http.StatusOK {
				if g.status != http.StatusOK || g.body != fine || len(up.arrived) != 1 {
					t.Errorf("%d %s, %d requests", g.status, g.body, len(up.arrived))
				}
				return
			}
			if r := parseRefusal(t, g.body); g.status != tc.status || r.Error.Code != "upstream_failed" {
				t.Errorf("%d %s", g.status, g.body)
			}
			for _, text := range up.arrived {
				if tc.server != nil && text.Len() > 0 {
					t.Errorf("reached it: %q", text)
				}
			}
			if raw := seen.bytes(); bytes.Contains(raw, []byte("secret-token")) || bytes.Contains(raw, []byte("POST")) {
				t.Errorf("reached it in the clear: %q", raw)
			}
		})
	}
}

// front is a listener before a recorder that ends TLS and sees all bytes.
type front struct {
	address string
	mu      sync.Mutex
	raw     bytes.Buffer
}

func (f *front) bytes() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return bytes.Clone(f.raw.Bytes())
}

// behind puts the recorder behind TLS, or behind nothing.
func (r *recorder) behind(t *testing.T, config *tls.Config) *front {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &front{address: l.Addr().String()}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				var c net.Conn = seenConn{conn, io.TeeReader(conn, locked{&f.mu, &f.raw})}
				if config != nil {
					c = tls.Server(c, config)
				}
				r.serve(c)
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return f
}

// seenConn is a connection whose bytes are seen by another.
type seenConn struct {
	net.Conn
	in io.Reader
}

func (c seenConn) Read(p []byte) (int, error) { return c.in.Read(p) }

// authority is a CA of one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	a.cert = a.sign(t, &x509.Certificate{
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, NotAfter: time.Now().Add(time.Hour),
	}, &a.key.PublicKey)
	a.file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign issues a certificate; the authority's own if it has none.
func (a *authority) sign(t *testing.T, template *x509.Certificate, key *ecdsa.PublicKey) *x509.Certificate {
	t.Helper()
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	// Equal names would make it look like one that signed itself.
	template.Subject = pkix.Name{CommonName: template.SerialNumber.String()}
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Now().Add(-2 * time.Hour)
	}
	parent := a.cert
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// leaf is a server's certificate with its key.
func (a *authority) leaf(t *testing.T, template x509.Certificate) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	cert := a.sign(t, &template, &key.PublicKey)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

func spkiOf(t *testing.T, c tls.Certificate) string {
	t.Helper()
	sum := sha256.Sum256(c.Leaf.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

// Content does not leave this machine in the clear: nothing is started.
func TestUpstreamsRefusedAtStart(t *testing.T) {
	for _, args := range [][]string{
		{"--upstream", "http://192.0.2.1:8000"},
		{"--upstream", "http://model.invalid"},
		{"--upstream", "http://127.0.0.1.invalid"},
		{"--upstream", "http://127.0.0.1@192.0.2.1"},
		{"--upstream", "http://0.0.0.0:8000"},
		{"--upstream", "http://[::]:8000"},
		{"--upstream", "http://2130706433:8000"},
		{"--upstream", "http://0x7f.1:8000"},
		{"--upstream", "HTTP://192.0.2.1"},
		{"--upstream", "//192.0.2.1"},
		{"--upstream", "h2c://127.0.0.1"},
		{"--upstream", "https://127.0.0.1"},
		{"--upstream", "https://127.0.0.1", "--upstream-spki", ""},
	} {
		cmd := exec.Command(binary, append([]string{"run", "--tee", "simulated", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir()}, args...)...)
		cmd.Env = environment()
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 2 || bytes.Count(out, []byte("\n")) != 1 || !bytes.Contains(out, []byte("upstream")) {
			t.Errorf("%q: %v: %s", args, err, out)
		}
	}
}
