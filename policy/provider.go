package policy

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

func (d *document) provider(f *file) error {
	if f.ProviderService == nil {
		return nil
	}
	const at = "provider_service"
	p := &ProviderPosts{MaxRetries: 3, RetryBackoff: time.Second}
	for _, e := range []struct {
		key, given string
		into       *string
	}{
		{"verdict_endpoint", f.ProviderService.VerdictEndpoint, &p.VerdictEndpoint},
		{"disclosure_relay_endpoint", f.ProviderService.DisclosureRelayEndpoint, &p.DisclosureRelayEndpoint},
	} {
		if e.given == "" {
			continue
		}
		var err error
		if *e.into, err = endpoint(e.given); err != nil {
			return d.fail(at+"."+e.key, "%s %v", e.key, err)
		}
	}
	if n := f.ProviderService.MaxRetries; n != nil {
		if *n < 0 || *n > 1000 {
			return d.fail(at+".max_retries", "max_retries must be from 0 to 1000")
		}
		p.MaxRetries = *n
	}
	if ms := f.ProviderService.RetryBackoffMS; ms != nil {
		if *ms < 1 || *ms > 3_600_000 {
			return d.fail(at+".retry_backoff_ms", "retry_backoff_ms must be from 1 to 3600000")
		}
		p.RetryBackoff = time.Duration(*ms) * time.Millisecond
	}
	d.policy.Provider = p
	return nil
}

var errEndpoint = errors.New("must be an https URL, or http on loopback, without user, query or fragment")

// endpoint accepts where something may be sent: https anywhere, http only to
// this machine.
func endpoint(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errEndpoint
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return s, nil
	}
	return "", errEndpoint
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
