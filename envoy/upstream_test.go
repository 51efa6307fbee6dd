package envoy

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"testing"

	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
)

func TestUpstreamWithoutTLS(t *testing.T) {
	c := takeApart(t, settings()).clusters["upstream"]
	if c.GetTransportSocket() != nil {
		t.Error("http speaks TLS")
	}
	at := onlyEndpoint(t, c).GetSocketAddress()
	if at.GetAddress() != "127.0.0.1" || at.GetPortValue() != 8000 || c.GetType().String() != "STATIC" {
		t.Errorf("%s upstream at %v", c.GetType(), at)
	}
}

func TestUpstreamAddress(t *testing.T) {
	for base, want := range map[string]struct {
		host      string
		port      uint32
		discovery string
	}{
		"http://127.0.0.1":           {"127.0.0.1", 80, "STATIC"},
		"http://localhost:8000":      {"localhost", 8000, "STRICT_DNS"},
		"http://[::1]:8000":          {"::1", 8000, "STATIC"},
		"https://model.example":      {"model.example", 443, "STRICT_DNS"},
		"https://model.example:8443": {"model.example", 8443, "STRICT_DNS"},
		"https://[2001:db8::1]/v1":   {"2001:db8::1", 443, "STATIC"},
	} {
		s := settings()
		s.Upstream = mustURL(t, base)
		if s.Upstream.Scheme == "https" {
			s.UpstreamSPKI = make([]byte, 32)
		}
		c := takeApart(t, s).clusters["upstream"]
		at := onlyEndpoint(t, c).GetSocketAddress()
		if at.GetAddress() != want.host || at.GetPortValue() != want.port || c.GetType().String() != want.discovery {
			t.Errorf("%s: %s at %v", base, c.GetType(), at)
		}
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestUpstreamTLS(t *testing.T) {
	full := tlsSettings(t)
	for _, tc := range []struct {
		name, url, sni, san, sanType string
		ca, spki                     []byte
	}{
		{"both", "https://model.example:8443", "model.example", "model.example", "DNS", full.UpstreamCA, full.UpstreamSPKI},
		{"CA", "https://model.example", "model.example", "model.example", "DNS", full.UpstreamCA, nil},
		{"key", "https://model.example", "model.example", "", "", nil, full.UpstreamSPKI},
		{"IPv4", "https://10.0.0.1", "", "10.0.0.1", "IP_ADDRESS", full.UpstreamCA, nil},
		{"IPv6 in another form", "https://[2001:DB8:0::1]", "", "2001:db8::1", "IP_ADDRESS", full.UpstreamCA, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := full
			s.Upstream, s.UpstreamCA, s.UpstreamSPKI = mustURL(t, tc.url), tc.ca, tc.spki
			c := open(t, takeApart(t, s).clusters["upstream"].GetTransportSocket().GetTypedConfig(), new(tlsv3.UpstreamTlsContext))
			common := c.GetCommonTlsContext()
			trust := common.GetValidationContext()
			expectTraps(t, []trap{
				{"sni", c.GetSni(), tc.sni, "the upstream chooses its certificate by it"},
				{"auto_host_sni", c.GetAutoHostSni(), "false", "a client's Host would choose"},
				{"allow_renegotiation", c.GetAllowRenegotiation(), "false", "the certificate could change"},
				{"min version", common.GetTlsParams().GetTlsMinimumProtocolVersion(), "TLSv1_2", "older ones are broken"},
				{"max version", common.GetTlsParams().GetTlsMaximumProtocolVersion(), "TLSv1_3", "1.2 is the default of clients"},
				{"alpn", common.GetAlpnProtocols(), "[http/1.1]", "it is what is spoken"},
				{"trust_chain_verification", trust.GetTrustChainVerification(), "VERIFY_TRUST_CHAIN", "anybody could be the upstream"},
				{"allow_expired_certificate", trust.GetAllowExpiredCertificate(), "false", "anybody with an old key could be the upstream"},
			})
			if !bytes.Equal(trust.GetTrustedCa().GetInlineBytes(), tc.ca) {
				t.Error("another CA is trusted")
			}
			names := trust.GetMatchTypedSubjectAltNames()
			if tc.san == "" && len(names) != 0 || tc.san != "" && (len(names) != 1 ||
				names[0].GetMatcher().GetExact() != tc.san || names[0].GetMatcher().GetIgnoreCase() || names[0].GetSanType().String() != tc.sanType) {
				t.Errorf("names %v, want %s: any certificate of the CA would do", names, tc.san)
			}
			keys := trust.GetVerifyCertificateSpki()
			if len(tc.spki) == 0 && len(keys) != 0 || len(tc.spki) != 0 && (len(keys) != 1 || keys[0] != base64.StdEncoding.EncodeToString(tc.spki)) {
				t.Errorf("keys %q", keys)
			}
		})
	}
}
