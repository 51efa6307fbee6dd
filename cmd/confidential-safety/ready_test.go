package main

import (
	"slices"
	"testing"
)

func TestReachable(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:8443": "127.0.0.1:8443",
		"0.0.0.0:8443":   "127.0.0.1:8443",
		"[::]:1":         "[::1]:1",
		"192.0.2.1:1":    "192.0.2.1:1",
		"[2001:db8::1]:": "[2001:db8::1]:",
	} {
		if got := reachable(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func TestTLSNames(t *testing.T) {
	for listen, want := range map[string]bool{
		"127.0.0.1:1": false, "0.0.0.0:1": false, "[::]:1": false, "192.0.2.1:1": true,
	} {
		names := tlsNames(listen)
		if !slices.Contains(names, "localhost") || !slices.Contains(names, "127.0.0.1") || !slices.Contains(names, "::1") {
			t.Errorf("%s: %q", listen, names)
		}
		if slices.Contains(names, "0.0.0.0") || slices.Contains(names, "::") || slices.Contains(names, "192.0.2.1") != want {
			t.Errorf("%s: %q", listen, names)
		}
	}
}
