package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/difflabai/confidential-safety/policy"
)

func policyCommand() *cobra.Command {
	return group("policy", "Check a policy and try it on texts",
		policyFileCommand("check", "Parse a policy and all that it names, strictly", `Parse a policy file and every file that it names. An error names the file, the line and the
column, and the exit code is then 2. Without FILE the embedded default policy is checked.`, writeCheck),
		policyFileCommand("hash", "Print the policy's digest", `Print the digest of a policy file and of every file that it names: the policy_hash of
verdicts and quotes. Without FILE it is that of the embedded default policy.`, writeHash),
		policyFileCommand("show", "Print the policy as it is in force", `Print a policy with all its defaults filled in, as TOML or JSON. Without FILE the embedded
default policy is printed.`, writeEffective),
		classifyCommand(), explainCommand(), evalCommand(),
	)
}

// policyFileCommand is a command on a policy file.
func policyFileCommand(use, short, long string, show func(w io.Writer, b *policy.Bundle, name string, asJSON bool) error) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     use + " [FILE]",
		Short:   short,
		Long:    long,
		Example: "  confidential-safety policy " + use + " policy.toml\n  confidential-safety policy " + use + " --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := ""
			if len(args) == 1 {
				if name = args[0]; name == "" {
					return usage(fmt.Errorf("FILE: %w", errEmpty))
				}
			}
			b, err := checkedBundle(name)
			if err != nil {
				return usage(err)
			}
			return show(cmd.OutOrStdout(), b, name, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// checkedBundle loads a bundle whose every pattern file is good, too.
func checkedBundle(name string) (*policy.Bundle, error) {
	b, err := loadBundle(name)
	if err != nil {
		return nil, err
	}
	if _, err := patternClassifier(b); err != nil {
		return nil, err
	}
	return b, nil
}

// checked is what policy check prints.
type checked struct {
	OK            bool     `json:"ok"`
	PolicyHash    string   `json:"policy_hash"`
	PolicyVersion string   `json:"policy_version"`
	Categories    int      `json:"categories"`
	Files         int      `json:"files"`
	Patterns      int      `json:"patterns"` // phrases
	Rules         int      `json:"rules"`
	Warnings      []string `json:"warnings,omitempty"`
}

func writeCheck(w io.Writer, b *policy.Bundle, name string, asJSON bool) error {
	rules, err := patternRules(b)
	if err != nil {
		return usage(err)
	}
	c := checked{
		OK: true, PolicyHash: b.Hash(), PolicyVersion: b.Policy.Version,
		Categories: len(b.Policy.Categories), Files: len(b.Files), Warnings: keywordsDisclose(b, rules),
	}
	for i := range rules {
		if rules[i].Signature != nil {
			c.Rules++
		} else {
			c.Patterns++
		}
	}
	if asJSON {
		return json.NewEncoder(w).Encode(c)
	}
	if name == "" {
		name = "the default policy"
	}
	text := fmt.Sprintf("%s is valid: version %s, %s, %s, %s", name, c.PolicyVersion, counted(c.Categories, "category", "categories"),
		counted(c.Files, "file", "files"), counted(c.Patterns, "pattern", "patterns"))
	if c.Rules > 0 {
		text += ", " + counted(c.Rules, "rule", "rules")
	}
	for _, warning := range c.Warnings {
		text += "\nwarning: " + warning
	}
	_, err = fmt.Fprintln(w, text)
	return err
}

func writeHash(w io.Writer, b *policy.Bundle, _ string, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(map[string]string{"policy_hash": b.Hash()})
	}
	_, err := fmt.Fprintln(w, b.Hash())
	return err
}
