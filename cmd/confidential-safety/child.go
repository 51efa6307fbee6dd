package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/envoy"
)

// startEnvoy runs the Envoy child with the configuration for the settings.
func startEnvoy(cfg *config, b envoy.Binary, dir, adminSocket string, stderr io.Writer) (*envoy.Process, error) {
	text, err := bootstrap(cfg, adminSocket)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "envoy.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, fmt.Errorf("runtime directory: %w", err)
	}
	return envoy.Start(b, file, cfg.logFormat, stderr)
}

// bootstrap is Envoy's configuration for the settings.
func bootstrap(cfg *config, adminSocket string) ([]byte, error) {
	settings := envoy.Settings{
		Listen:        cfg.listen,
		Upstream:      cfg.upstream,
		UpstreamCA:    cfg.upstreamCA,
		UpstreamSPKI:  cfg.upstreamSPKI,
		PolicyVersion: cfg.bundle.Policy.Version,
		ExtProcSocket: cfg.extProcSocket,
		SDSSocket:     cfg.sdsSocket,
		AdminSocket:   adminSocket,
		DrainTimeout:  cfg.drainTimeout,
	}
	cfg.bound(&settings)
	for _, a := range decode.APIs() {
		for _, target := range a.Targets() {
			settings.Routes = append(settings.Routes, envoy.Route{Method: a.Method, Path: target, Anthropic: a.Anthropic})
		}
	}
	b, err := envoy.Bootstrap(settings)
	if err != nil {
		return nil, err
	}
	return envoy.Marshal(b)
}

// stopTimeout is how long Envoy may take to end before it is killed.
const stopTimeout = 3 * time.Second

func stopEnvoy(p *envoy.Process) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	p.Stop(ctx)
}

// cacheDir is where a fetched Envoy is kept.
func cacheDir(cfg *config) string {
	if dir, err := os.UserCacheDir(); err == nil {
		return filepath.Join(dir, "confidential-safety")
	}
	return filepath.Join(cfg.dataDir, "cache")
}

// vacant refuses an address where something listens already. Envoy would not:
// it shares a port with any other Envoy of the same user.
func vacant(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("%w: choose another address with --listen", err)
	}
	return l.Close()
}
