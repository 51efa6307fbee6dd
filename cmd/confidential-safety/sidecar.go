package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/difflabai/confidential-safety/attest"
	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/envoy"
	"github.com/difflabai/confidential-safety/extproc"
	"github.com/difflabai/confidential-safety/extproc/inspect"
	"github.com/difflabai/confidential-safety/metrics"
)

// sidecar is all but Envoy: the processor, secret discovery and the services.
type sidecar struct {
	cfg       *config
	log       *slog.Logger
	key       *attest.TLSKey
	caFile    string // where the certificate of the key's CA is
	health    *health
	services  http.Handler
	processor *extproc.Server
	metrics   *metrics.Registry
	warnings  []string   // what the policy's author should know
	failed    chan error // a listener ended that should not have

	close []func() // what was opened, in order
}

// prepare makes a sidecar with what every one has before it listens: a process
// that leaves no dump, and a data directory of its own.
func prepare(cfg *config, log *slog.Logger, stderr io.Writer) (*sidecar, error) {
	if err := noCoreDumps(); err != nil {
		return nil, err
	}
	cfg.boundMemory()
	s, err := newSidecar(cfg, log, stderr)
	if err != nil {
		return nil, err
	}
	closeDir, err := openDataDir(cfg.dataDir)
	if err != nil {
		return nil, err
	}
	s.close = append(s.close, closeDir)
	if s.caFile, err = writeCA(cfg.dataDir, s.key.CA); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// newSidecar makes a sidecar from its settings. Nothing listens yet.
func newSidecar(cfg *config, log *slog.Logger, stderr io.Writer) (*sidecar, error) {
	patterns, err := classifiers(cfg.bundle)
	if err != nil {
		return nil, err
	}
	rules, err := patternRules(cfg.bundle)
	if err != nil {
		return nil, err
	}
	if err := cfg.tee.Available(os.DirFS("/")); err != nil {
		return nil, err
	}
	key, err := attest.NewTLSKey(tlsNames(cfg.listen), time.Now())
	if err != nil {
		return nil, err
	}
	p := cfg.bundle.Policy
	budget := extproc.NewBudget(int64(cfg.maxInspected))
	registry := newMetrics(p, budget, cfg.maxInspected)
	verdicts := newVerdictLog(stderr, cfg.logFormat)
	h := &health{verdicts: verdicts, policyHash: cfg.bundle.Hash(), policyVersion: p.Version, tee: string(cfg.tee)}
	s := &sidecar{cfg: cfg, log: log, key: key, health: h, services: services(h), metrics: registry, warnings: keywordsDisclose(cfg.bundle, rules), failed: make(chan error, 4)}
	s.processor = extproc.New(extproc.Config{
		APIs:          decode.APIs(),
		Inspector:     inspect.New(p, patterns, cfg.inspected(budget)),
		PolicyVersion: p.Version,
		Local:         s.services,
		Recorder:      verdicts,
		Timeouts:      extproc.Timeouts{Request: cfg.requestTimeout, Upstream: cfg.upstreamTimeout, Response: cfg.responseTimeout},
		MaxBody:       int64(cfg.maxBody),
		MaxRequests:   cfg.maxRequests,
		Observer:      registry,
		NewID:         rand.Text,
		Now:           time.Now,
		Log:           log,
	})
	return s, nil
}

// tlsNames are the names that the listener is called by on this machine.
func tlsNames(listen string) []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if at, err := netip.ParseAddrPort(listen); err == nil && !at.Addr().IsUnspecified() && !at.Addr().IsLoopback() {
		names = append(names, at.Addr().String())
	}
	if host, err := os.Hostname(); err == nil && host != "localhost" {
		names = append(names, host)
	}
	return names
}

// listen opens the sockets for Envoy, and that of the metrics if there is one.
// The data directory must be ours.
func (s *sidecar) listen(ctx context.Context, extProcSocket, sdsSocket string) error {
	if err := s.serveMetrics(); err != nil {
		return err
	}
	processor := grpc.NewServer(
		grpc.MaxRecvMsgSize(s.cfg.maxMessage),
		// Windows that grow with the traffic, as they do by default, let 16 MiB of
		// a stream wait in memory for an exchange whose client does not read.
		grpc.InitialWindowSize(window),
		grpc.InitialConnWindowSize(connectionWindow),
		// An Envoy that has stopped ends its streams.
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 10 * time.Second, Timeout: 5 * time.Second}),
		// Envoy pings every second, see its configuration.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second / 2, PermitWithoutStream: true}),
	)
	s.processor.Register(processor)
	if err := s.serveGRPC(processor, extProcSocket); err != nil {
		return err
	}
	s.close = append(s.close, s.endExchanges)
	secrets := envoy.NewSecrets()
	if err := secrets.SetTLS(s.key.Chain, s.key.KeyPEM()); err != nil {
		return err
	}
	discovery := grpc.NewServer(
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second / 2, PermitWithoutStream: true}),
	)
	secrets.Register(ctx, discovery)
	return s.serveGRPC(discovery, sdsSocket)
}

// endExchanges waits for the verdicts of what still runs: that of an Envoy which
// died ends by itself.
func (s *sidecar) endExchanges() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s.processor.Drain(ctx)
}

// How much Envoy may send of one exchange, and of all over one connection,
// before it is read; in bytes.
const window, connectionWindow = 64 << 10, 16 << 20

func (s *sidecar) serveGRPC(g *grpc.Server, socket string) error {
	l, err := listenUnix(socket)
	if err != nil {
		return err
	}
	s.close = append(s.close, g.Stop)
	go func() { s.fail(socket, g.Serve(l)) }()
	return nil
}

func (s *sidecar) serveHTTP(h http.Handler, l net.Listener) {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.close = append(s.close, func() { _ = srv.Close() })
	go func() { s.fail(l.Addr().String(), srv.Serve(l)) }()
}

// fail reports the end of a listener, unless it was closed on purpose.
func (s *sidecar) fail(name string, err error) {
	if err == nil || errors.Is(err, http.ErrServerClosed) || errors.Is(err, grpc.ErrServerStopped) {
		return
	}
	select {
	case s.failed <- fmt.Errorf("listener %s: %w", name, err):
	default:
	}
}

// stop closes what is open, the last first.
func (s *sidecar) stop() {
	for i := len(s.close) - 1; i >= 0; i-- {
		s.close[i]()
	}
	s.close = nil
}
