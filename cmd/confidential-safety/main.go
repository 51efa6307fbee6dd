// Command confidential-safety inspects what goes to an AI model and comes from
// it, in a trusted execution environment where nobody else can look.
//
// This package reads settings, wires the packages together and starts and stops
// them. It decides nothing about content, and nothing imports it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// Exit codes of all commands.
const (
	exitFailed = 1 // failed while running, or a check said no
	exitUsage  = 2 // usage or configuration; nothing was started
)

// usageError is an error of how the program was called or configured.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// usage makes an error one of usage.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main with everything that a test wants to give it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintf(unblocked(stderr), "confidential-safety: %s\n", oneLine(err.Error()))
	if u := (usageError{}); errors.As(err, &u) {
		return exitUsage
	}
	return exitFailed
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "confidential-safety",
		Short: "Inspect what goes to an AI model and comes from it, inside the TEE, and fail closed",
		Long: `confidential-safety stands in front of an OpenAI-compatible model server in a trusted
execution environment. Envoy terminates TLS and hands every request and response to it;
it classifies, gates and redacts them in flight and lets nothing pass unread.`,
		Example: `  confidential-safety run --tee simulated
  confidential-safety run --upstream http://127.0.0.1:8000 --policy policy.toml
  confidential-safety policy check policy.toml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usage(errors.New("no command: see confidential-safety --help"))
		},
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	help := helpCommand()
	root.SetHelpCommand(help)
	root.AddCommand(
		help,
		runCommand(), serveCommand(), demoModelCommand(), envoyCommand(), policyCommand(), versionCommand(),
	)
	strict(root)
	return root
}

// strict makes every wrong flag and argument of a command and of those below it
// an error of usage that says where help is.
func strict(cmd *cobra.Command) {
	hint := func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w: see %s --help", err, c.CommandPath())}
	}
	cmd.SetFlagErrorFunc(hint)
	if check := cmd.Args; check != nil {
		cmd.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return hint(c, err)
			}
			return nil
		}
	}
	for _, c := range cmd.Commands() {
		strict(c)
	}
}

// addJSONFlag gives a command that prints nothing but JSON the flag of those that
// can print it.
func addJSONFlag(cmd *cobra.Command) {
	cmd.Flags().Bool("json", true, "print JSON, as this command always does")
}

// group is a command that only holds others. Its examples are the first of theirs.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	examples := make([]string, len(commands))
	for i, c := range commands {
		examples[i], _, _ = strings.Cut(c.Example, "\n")
	}
	cmd := &cobra.Command{
		Use:     use,
		Short:   short,
		Example: strings.Join(examples, "\n"),
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return usage(fmt.Errorf("%s needs a command: see %s --help", c.Name(), c.CommandPath()))
		},
	}
	cmd.AddCommand(commands...)
	return cmd
}
