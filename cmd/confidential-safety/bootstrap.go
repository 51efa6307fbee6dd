package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
)

func envoyCommand() *cobra.Command {
	return group("envoy", "Configure an Envoy for the sidecar, and judge a configuration", bootstrapCommand(), lintCommand())
}

func bootstrapCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bootstrap",
		Short: "Print the Envoy configuration for the settings",
		Long: `Print, as JSON on standard output, the configuration of the Envoy that goes with
"confidential-safety serve" under the same settings. Envoy's admin interface is put on a
socket beside that of --extproc-addr.`,
		Example: `  confidential-safety envoy bootstrap --upstream http://127.0.0.1:8000 >envoy.json
  envoy --config-path envoy.json --log-level warning`,
		Args: cobra.NoArgs,
	}
	addFlags(cmd.Flags(), true, "envoy-config") // which is for serve to judge
	addJSONFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, _, err := configure(cmd, cmd.ErrOrStderr())
		if err != nil {
			return usage(err)
		}
		if cfg.upstream == nil {
			return usage(errors.New("--upstream: name the model server's URL: there is no demo model without run"))
		}
		text, err := bootstrap(cfg, filepath.Join(filepath.Dir(cfg.extProcSocket), "admin.sock"))
		if err != nil {
			return usage(err)
		}
		if _, err := cmd.OutOrStdout().Write(text); err != nil {
			return fmt.Errorf("standard output: %w", err)
		}
		return nil
	}
	return cmd
}
