package policy

import (
	"fmt"
	"math"
	"path"
	"slices"
)

// budgetNames are the capabilities that an agent's session has budgets of, with
// their defaults.
var budgetNames = map[string]int{
	"network_requests": 10,
	"file_writes":      5,
	"file_reads":       50,
	"shell_commands":   0,
	"api_calls":        20,
}

func (d *document) agent(f *file) error {
	if f.AgentPolicy == nil {
		return nil
	}
	const at = "agent_policy"
	a := &AgentPolicy{
		MaxSuspiciousActions:  3,
		TrajectoryWindowTurns: 20,
		RestrictedTools:       []string{"shell_exec", "raw_network", "file_delete", "privilege_escalate"},
		CapabilityBudget:      make(map[string]int),
	}
	for _, n := range []struct {
		key   string
		given *int
		into  *int
	}{
		{"max_suspicious_actions", f.AgentPolicy.MaxSuspiciousActions, &a.MaxSuspiciousActions},
		{"trajectory_window_turns", f.AgentPolicy.TrajectoryWindowTurns, &a.TrajectoryWindowTurns},
	} {
		if n.given == nil {
			continue
		}
		if *n.given < 1 || *n.given > 1_000_000 {
			return d.fail(at+"."+n.key, "%s must be from 1 to 1000000", n.key)
		}
		*n.into = *n.given
	}
	if f.AgentPolicy.RestrictedTools != nil {
		a.RestrictedTools = *f.AgentPolicy.RestrictedTools
		if err := d.globs(a.RestrictedTools, at+".restricted_tools"); err != nil {
			return err
		}
	}
	for name, n := range budgetNames {
		a.CapabilityBudget[name] = n
	}
	for name, n := range f.AgentPolicy.CapabilityBudget {
		key := at + ".capability_budget." + name
		if _, ok := budgetNames[name]; !ok {
			return d.fail(key, "unknown budget %q: use one of api_calls, file_reads, file_writes, network_requests, shell_commands", name)
		}
		if n < 0 || n > math.MaxInt32 {
			return d.fail(key, "budget %s must be from 0 to %d", name, math.MaxInt32)
		}
		a.CapabilityBudget[name] = int(n)
	}
	for i, c := range f.AgentPolicy.AttackChainPatterns {
		key := indexed(at+".attack_chain_patterns", i)
		switch {
		case c.Name == "":
			return d.fail(key, "attack chain has no name: add name")
		case slices.ContainsFunc(a.AttackChains, func(o AttackChain) bool { return o.Name == c.Name }):
			return d.fail(key+".name", "attack chain %q is defined twice: rename one", c.Name)
		case len(c.Sequence) == 0:
			return d.fail(key, "attack chain %q has no sequence: add one", c.Name)
		case !probability(c.RiskScore):
			return d.fail(key+".risk_score", "risk_score must be above 0 and at most 1")
		}
		if err := d.globs(c.Sequence, key+".sequence"); err != nil {
			return err
		}
		a.AttackChains = append(a.AttackChains, AttackChain(c))
	}
	d.policy.Agent = a
	return nil
}

func (d *document) globs(globs []string, at string) error {
	for i, g := range globs {
		if _, err := path.Match(g, ""); err != nil || g == "" {
			return d.fail(indexed(at, i), "%q is not a glob: see the syntax of shell patterns", g)
		}
	}
	return nil
}

func indexed(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
