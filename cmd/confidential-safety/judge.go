package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/difflabai/confidential-safety/extproc/inspect"
	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

// judge is what the commands need that judge texts offline.
type judge struct {
	policy, stageName string // flags

	stage     verdict.Stage
	bundle    *policy.Bundle
	inspector *inspect.Inspector
}

func (j *judge) addFlags(cmd *cobra.Command) {
	j.addPolicyFlag(cmd)
	cmd.Flags().StringVar(&j.stageName, "stage", "", "input or output: whose thresholds apply")
}

func (j *judge) addPolicyFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&j.policy, "policy", "", "policy `file`; without it the embedded default policy")
}

// open reads the flags.
func (j *judge) open(cmd *cobra.Command) error {
	switch j.stageName {
	case "input":
		j.stage = verdict.PreInferenceGate
	case "output":
		j.stage = verdict.PostInferenceGate
	default:
		return fmt.Errorf("--stage %q: want input or output", j.stageName)
	}
	return j.load(cmd)
}

// load reads the policy and makes what judges by it.
func (j *judge) load(cmd *cobra.Command) (err error) {
	if j.policy == "" && cmd.Flags().Changed("policy") {
		return fmt.Errorf("--policy: %w", errEmpty)
	}
	if j.bundle, err = loadBundle(j.policy); err != nil {
		return err
	}
	patterns, err := classifiers(j.bundle)
	if err != nil {
		return err
	}
	j.inspector = inspect.New(j.bundle.Policy, patterns, inspect.DefaultLimits())
	return nil
}
