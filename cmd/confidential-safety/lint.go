package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/envoy/lint"
)

func lintCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "lint FILE",
		Short: "Refuse an Envoy configuration that could let bytes by",
		Long: `Judge an Envoy configuration that you wrote: whether every way from a listener to a model
server passes one ext_proc filter that sees all of it. Each finding is a line of three parts:
where in the configuration, which rule, and why. The exit code is 0 without findings, 1 with
some, and 2 for a file that cannot be read as a configuration.

FILE is YAML if its name ends in .yaml or .yml and JSON if not, as for Envoy. For - the
configuration is read from standard input, as JSON if it begins with a brace.`,
		Example: `  confidential-safety envoy lint envoy.yaml
  confidential-safety envoy bootstrap --upstream http://127.0.0.1:8000 | confidential-safety envoy lint -`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := lintFile(args[0], cmd.InOrStdin())
			if err != nil {
				return usage(err)
			}
			return writeReport(cmd.OutOrStdout(), r, args[0], asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// maxEnvoyConfig is more than the linter takes, in bytes.
const maxEnvoyConfig = 8 << 20

// lintFile judges the configuration in a file, or in stdin if that is named.
func lintFile(name string, stdin io.Reader) (*lint.Report, error) {
	if name == "" {
		return nil, fmt.Errorf("FILE: %w", errEmpty)
	}
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, unreadable(name, err)
		}
		defer file.Close() //nolint:errcheck // it was only read
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, maxEnvoyConfig))
	if err != nil {
		return nil, unreadable(name, err)
	}
	if name == "-" {
		name = "stdin.yaml"
		if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
			name = "stdin.json"
		}
	}
	var paths []string
	for _, a := range decode.APIs() {
		paths = append(paths, a.Path)
	}
	return lint.Lint(name, text, paths)
}

func unreadable(name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("%s: %w: name an Envoy configuration", name, err)
}

// writeReport prints what was found. Findings are an error, so that the exit
// code says so.
func writeReport(w io.Writer, r *lint.Report, name string, asJSON bool) error {
	if err := printReport(w, r, name, asJSON); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	if n := len(r.Findings); n > 0 {
		return fmt.Errorf("%s: %s: bytes could get by; docs/envoy.md explains the rules", name, counted(n, "finding", "findings"))
	}
	return nil
}

func printReport(w io.Writer, r *lint.Report, name string, asJSON bool) error {
	if asJSON {
		found := r.Findings
		if found == nil {
			found = []lint.Finding{} // [], not null
		}
		return json.NewEncoder(w).Encode(struct {
			OK        bool           `json:"ok"`
			SHA256    string         `json:"sha256"`
			Listeners int            `json:"listeners"`
			Clusters  int            `json:"clusters"`
			Findings  []lint.Finding `json:"findings"`
		}{len(r.Findings) == 0, r.SHA256, r.Listeners, r.Clusters, found})
	}
	for _, f := range r.Findings {
		if _, err := fmt.Fprintln(w, f); err != nil {
			return err
		}
	}
	if len(r.Findings) > 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "%s passes: %s, %s\n", name, counted(r.Listeners, "listener", "listeners"), counted(r.Clusters, "cluster", "clusters"))
	return err
}
