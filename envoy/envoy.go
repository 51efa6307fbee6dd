// Package envoy finds, configures and runs the Envoy that terminates TLS and
// streams every body to the processor. At run time nothing passes through it.
//
// The configuration is built from Envoy's own typed messages and is static but
// for the TLS key, which comes by secret discovery so that it is never written.
// Never build it from text, and never add a way from the listener to the
// upstream that does not pass the one ext_proc filter.
package envoy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Settings is what a bootstrap is made from.
type Settings struct {
	Listen        string   // host:port; port 0 lets the system choose
	Upstream      *url.URL // base of an OpenAI-compatible server
	UpstreamCA    []byte   // PEM; for https
	UpstreamSPKI  []byte   // SHA-256 of the upstream's SubjectPublicKeyInfo; for https
	Routes        []Route  // what may reach the upstream
	PolicyVersion string   // for the verdict in the reply when the processor is dead

	// Absolute paths of Unix sockets.
	ExtProcSocket, SDSSocket, AdminSocket string

	Connections       uint32        // downstream, at once
	ConnectionStreams uint32        // of one HTTP/2 connection, at once
	HeaderKB, Headers uint32        // of a request
	Requests          uint32        // that the processor admits at once
	Memory            uint64        // heap at which requests are refused, in bytes
	StreamIdle        time.Duration // a stream without a byte in either direction
	StreamMax         time.Duration // a stream as a whole; above the processor's own limits
	DrainTimeout      time.Duration
}

// Route is one line of the allow-list: a method and an exact path, query string
// included.
type Route struct {
	Method, Path string
	Anthropic    bool // errors have the form of Anthropic's API
}

// Bootstrap returns the configuration of an Envoy of our own.
func Bootstrap(s Settings) (*bootstrapv3.Bootstrap, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	b := &builder{s: s}
	boot := b.bootstrap()
	if b.err != nil {
		return nil, b.err
	}
	if err := boot.ValidateAll(); err != nil {
		return nil, fmt.Errorf("envoy bootstrap: %w", err)
	}
	return boot, nil
}

// Marshal returns the bootstrap as JSON that is the same for the same bootstrap
// (protojson varies its white space on purpose).
func Marshal(b *bootstrapv3.Bootstrap) ([]byte, error) {
	raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("envoy bootstrap: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return nil, fmt.Errorf("envoy bootstrap: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// check refuses settings that could not work or would let content leave.
func (s *Settings) check() error {
	if _, _, err := splitAddress(s.Listen); err != nil {
		return fmt.Errorf("listen address %q: %w", s.Listen, err)
	}
	if len(s.Routes) == 0 {
		return errors.New("envoy bootstrap: no routes")
	}
	// 0 would turn some off, and Envoy's default stand for others.
	if s.StreamIdle <= 0 || s.DrainTimeout <= 0 || s.StreamMax <= 0 {
		return errors.New("envoy bootstrap: the drain timeout and those of streams must be above 0")
	}
	if s.ConnectionStreams == 0 || s.HeaderKB == 0 || s.Headers == 0 || s.Memory == 0 {
		return errors.New("envoy bootstrap: no limit may be 0")
	}
	if s.Requests == 0 || s.Requests > 1<<30 {
		return errors.New("envoy bootstrap: the limit of requests must be from 1 to 2^30")
	}
	for _, socket := range [...]struct{ name, path string }{
		{"ext_proc", s.ExtProcSocket}, {"sds", s.SDSSocket}, {"admin", s.AdminSocket},
	} {
		if !filepath.IsAbs(socket.path) || len(socket.path) > maxSocketPath {
			return fmt.Errorf("%s socket %q: must be an absolute path of at most %d bytes", socket.name, socket.path, maxSocketPath)
		}
	}
	return CheckUpstream(s.Upstream, len(s.UpstreamCA) > 0, len(s.UpstreamSPKI) > 0)
}

// maxSocketPath is how long a Unix socket's path may be (sun_path of Linux, 108
// bytes, less the end mark and some room for Envoy's own suffixes).
const maxSocketPath = 100

// CheckUpstream refuses an upstream to which content may not go: plain http
// leads to this machine only, and https to a server that is known by its CA or
// its key.
func CheckUpstream(u *url.URL, ca, spki bool) error {
	switch {
	case u == nil || u.Host == "" || u.Hostname() == "":
		return errors.New("upstream: want a URL such as http://127.0.0.1:8000")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return errors.New("upstream: the URL must have no user, query or fragment")
	case len(u.Hostname()) > maxHost || strings.Contains(u.Hostname(), "%"):
		return fmt.Errorf("upstream: the host must have at most %d bytes, and an address no zone", maxHost)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return errors.New("upstream: http is for this machine only (127.0.0.1, [::1], localhost): use https with --upstream-ca or --upstream-spki")
	case u.Scheme == "http" && (ca || spki):
		return errors.New("upstream: --upstream-ca and --upstream-spki need an https URL")
	case u.Scheme == "https" && !ca && !spki:
		return errors.New("upstream: https needs --upstream-ca or --upstream-spki, so that content goes to a known server only")
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("upstream: the URL must start with http:// or https://")
	}
	if _, err := upstreamPort(u); err != nil {
		return err
	}
	return nil
}

// maxHost is how long a host's name may be in DNS, in bytes.
const maxHost = 253

func upstreamPort(u *url.URL) (uint32, error) {
	switch p := u.Port(); {
	case p != "" || strings.HasSuffix(u.Host, ":"):
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return 0, errors.New("upstream: the port must be from 1 to 65535")
		}
		return uint32(n), nil
	case u.Scheme == "https":
		return 443, nil
	default:
		return 80, nil
	}
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func splitAddress(address string) (host string, port uint32, err error) {
	host, p, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, errors.New("want host:port, such as 127.0.0.1:8443")
	}
	if host == "" {
		host = "0.0.0.0"
	}
	if _, err := netip.ParseAddr(host); err != nil {
		return "", 0, errors.New("the host must be an IP address")
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return "", 0, errors.New("the port must be from 0 to 65535")
	}
	return host, uint32(n), nil
}

// builder builds a bootstrap and keeps the first error.
type builder struct {
	s   Settings
	err error
}

// any packs a message that is valid: ValidateAll of the whole does not look
// into what is packed.
func (b *builder) any(m interface {
	proto.Message
	ValidateAll() error
}) *anypb.Any {
	if err := m.ValidateAll(); err != nil && b.err == nil {
		b.err = fmt.Errorf("envoy bootstrap: %w", err)
	}
	a := new(anypb.Any)
	if err := anypb.MarshalFrom(a, m, proto.MarshalOptions{Deterministic: true}); err != nil && b.err == nil {
		b.err = fmt.Errorf("envoy bootstrap: %w", err)
	}
	return a
}

func duration(d time.Duration) *durationpb.Duration { return durationpb.New(d) }

func number(n uint32) *wrapperspb.UInt32Value { return wrapperspb.UInt32(n) }
