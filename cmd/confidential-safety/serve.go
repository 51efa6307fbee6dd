package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
)

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the sidecar alone, for an Envoy that somebody else runs",
		Long: `Run the sidecar without an Envoy: the second container of a pod, say. The Envoy must have
the configuration that "confidential-safety envoy bootstrap" prints for the same settings,
or one of yours that "confidential-safety envoy lint" passes, and run as the same user, since
the sockets are private. With --envoy-config the file is judged at start and its digest kept.
When every socket is open, one line of JSON on standard output says where.

` + modelHashHelp,
		Example: `  confidential-safety serve --tee simulated --extproc-addr unix:///tmp/cs/extproc.sock \
    --sds-addr unix:///tmp/cs/sds.sock --http-addr unix:///tmp/cs/http.sock
  confidential-safety serve --envoy-config envoy.yaml
  curl --unix-socket /tmp/cs/http.sock http://localhost/v1/health`,
		Args: cobra.NoArgs,
	}
	addFlags(cmd.Flags(), true)
	cmd.RunE = serving(serveAll)
	return cmd
}

// serveAll opens the sockets and serves until ctx is done or a listener fails.
func serveAll(ctx context.Context, cfg *config, log *slog.Logger, stdout, stderr io.Writer) error {
	if err := cfg.judgeEnvoyConfig(); err != nil {
		return usage(err)
	}
	s, err := prepare(cfg, log, stderr)
	if err != nil {
		return usage(err)
	}
	defer s.stop()
	if err := s.listen(context.WithoutCancel(ctx), cfg.extProcSocket, cfg.sdsSocket); err != nil {
		return usage(err)
	}
	l, err := listenUnix(cfg.httpSocket)
	if err != nil {
		return usage(err)
	}
	s.serveHTTP(s.services, l)
	s.sayAtStart()
	if cfg.envoyConfigSHA256 != "" {
		s.log.Info("the Envoy configuration passes", "file", cfg.envoyConfig, "sha256", cfg.envoyConfigSHA256)
	}
	err = json.NewEncoder(stdout).Encode(struct {
		Ready       bool   `json:"ready"`
		ExtProcAddr string `json:"extproc_addr"`
		HTTPAddr    string `json:"http_addr"`
		SDSAddr     string `json:"sds_addr"`
		CAFile      string `json:"ca_file"`
		PolicyHash  string `json:"policy_hash"`
		TEE         string `json:"tee"`
		EnvoyConfig string `json:"envoy_config_sha256,omitempty"`
	}{
		true, "unix://" + cfg.extProcSocket, "unix://" + cfg.httpSocket, "unix://" + cfg.sdsSocket,
		s.caFile, s.health.policyHash, string(cfg.tee), cfg.envoyConfigSHA256,
	})
	if err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	select {
	case <-ctx.Done():
		s.drain(nil)
		return nil
	case err := <-s.failed:
		return err
	}
}
