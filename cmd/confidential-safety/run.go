package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/difflabai/confidential-safety/attest"
	"github.com/difflabai/confidential-safety/demo"
	"github.com/difflabai/confidential-safety/envoy"
)

func runCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the sidecar with an Envoy of its own",
		Long: `Run the whole thing: the sidecar, an Envoy child with the generated configuration and,
without --upstream, the built-in demo model. When every part answers, one line of JSON on
standard output says where. Logs and verdicts go to standard error.

Settings come from flags, CONFIDENTIAL_SAFETY_* variables and a TOML file, in that order
of strength.

` + modelHashHelp,
		Example: `  confidential-safety run --tee simulated
  confidential-safety run --upstream http://127.0.0.1:8000 --policy policy.toml --listen 0.0.0.0:8443
  CONFIDENTIAL_SAFETY_TEE=simulated confidential-safety run --config confidential-safety.toml`,
		Args: cobra.NoArgs,
	}
	addFlags(cmd.Flags(), false)
	cmd.RunE = serving(runAll)
	return cmd
}

const modelHashHelp = `The hash of a model is the SHA-256 of its file or, if it is a directory, of what this
prints in it:
  find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum --`

// serving makes what a command that serves does of its settings and of the
// signals that end it.
func serving(do func(ctx context.Context, cfg *config, log *slog.Logger, stdout, stderr io.Writer) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		stderr := unblocked(cmd.ErrOrStderr())
		cfg, log, err := configure(cmd, stderr)
		if err != nil {
			return usage(err)
		}
		ctx, stop := untilSignal(cmd.Context())
		defer stop()
		return do(ctx, cfg, log, cmd.OutOrStdout(), stderr)
	}
}

// configure reads the settings and makes the log, which goes to stderr.
func configure(cmd *cobra.Command, stderr io.Writer) (*config, *slog.Logger, error) {
	given, err := load(cmd.Flags(), os.Environ())
	if err != nil {
		return nil, nil, err
	}
	cfg, err := given.parse()
	if err != nil {
		return nil, nil, err
	}
	return cfg, slog.New(newLogHandler(stderr, cfg.logFormat, cfg.logLevel)), nil
}

// runAll starts the parts in order, serves until ctx is done or a part fails,
// and stops them in the opposite order.
func runAll(ctx context.Context, cfg *config, log *slog.Logger, stdout, stderr io.Writer) error {
	s, err := prepare(cfg, log, stderr)
	if err != nil {
		return usage(err)
	}
	defer s.stop()
	if err := vacant(cfg.listen); err != nil {
		return usage(err)
	}
	binary, err := envoy.Finder{Path: cfg.envoy, Cache: cacheDir(cfg), Log: log}.Find(ctx)
	switch {
	case ctx.Err() != nil:
		return nil // told to end while one was fetched
	case err != nil:
		return usage(err)
	}
	dir, err := runtimeDir()
	if err != nil {
		return usage(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // nothing of value is in it

	sockets := filepath.Join(dir, "x")
	cfg.extProcSocket, cfg.sdsSocket = sockets+".extproc", sockets+".sds"
	if err := s.listen(context.WithoutCancel(ctx), cfg.extProcSocket, cfg.sdsSocket); err != nil {
		return usage(err)
	}
	if cfg.upstream == nil {
		if err := s.startDemo(); err != nil {
			return err
		}
	}
	adminSocket := sockets + ".admin"
	child, err := startEnvoy(cfg, binary, dir, adminSocket, inherited(stderr))
	if err != nil {
		return err
	}
	admin := envoy.NewAdmin(adminSocket)
	defer stopEnvoy(child)

	address, err := awaitReady(ctx, child, admin, s)
	switch {
	case ctx.Err() != nil:
		return nil // told to end before it was ready
	case err != nil:
		return err
	}
	s.log.Info("envoy runs", "version", binary.Version.String(), "pid", child.PID())
	s.sayAtStart()
	err = json.NewEncoder(stdout).Encode(struct {
		Ready      bool   `json:"ready"`
		URL        string `json:"url"`
		CAFile     string `json:"ca_file"`
		PolicyHash string `json:"policy_hash"`
		TEE        string `json:"tee"`
	}{true, "https://" + address, s.caFile, s.health.policyHash, string(cfg.tee)})
	if err != nil {
		return fmt.Errorf("standard output: %w", err)
	}

	select {
	case <-ctx.Done():
		s.drain(admin)
		return nil
	case err := <-s.failed:
		return err
	case <-child.Done():
		return child.Err()
	}
}

// startDemo serves the demo model and makes it the upstream.
func (s *sidecar) startDemo() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("demo model: %w", err)
	}
	s.serveHTTP(demo.Handler(demo.Config{}), l)
	s.cfg.upstream = &url.URL{Scheme: "http", Host: l.Addr().String()}
	s.log.Info("the demo model answers, since no upstream was named")
	return nil
}

// sayAtStart logs what an operator should know of the settings.
func (s *sidecar) sayAtStart() {
	p := s.cfg.bundle.Policy
	s.log.Info("serving", "policy_hash", s.health.policyHash, "policy_version", p.Version)
	discloses := false
	for i := range p.Categories {
		discloses = discloses || p.Categories[i].DisclosureThreshold != nil
	}
	if !discloses {
		s.log.Info("the policy sets no disclosure threshold: nothing is disclosed to an authority")
	}
	for _, warning := range s.warnings {
		s.log.Warn(warning)
	}
	if s.cfg.tee != attest.TDX {
		s.log.Warn("the TEE is simulated and protects nothing: for trying things only")
	}
}
