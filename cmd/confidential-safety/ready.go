package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/difflabai/confidential-safety/envoy"
)

// readyTimeout bounds the start of Envoy.
const readyTimeout = time.Minute

// awaitReady waits until a request gets its answer through Envoy and the
// processor, and returns the listener's address.
func awaitReady(ctx context.Context, child *envoy.Process, admin *envoy.Admin, s *sidecar) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.key.CA)
	client := &http.Client{
		Timeout:   5 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "localhost"}, DisableKeepAlives: true},
	}
	last := errors.New("no answer")
	for {
		address, err := probe(ctx, admin, client)
		if err == nil {
			return address, nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-child.Done():
			return "", child.Err()
		case err := <-s.failed:
			return "", err
		case <-ctx.Done():
			return "", fmt.Errorf("envoy was not ready within %v: %w", readyTimeout, last)
		}
	}
}

func probe(ctx context.Context, admin *envoy.Admin, client *http.Client) (string, error) {
	if err := admin.Ready(ctx); err != nil {
		return "", err
	}
	address, err := admin.Address(ctx)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+reachable(address)+"/v1/health", http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("health: status %d", resp.StatusCode)
	}
	return address, nil
}

// reachable is an address at which this machine reaches the listener.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	switch host {
	case "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}
