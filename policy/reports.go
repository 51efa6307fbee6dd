package policy

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/difflabai/confidential-safety/verdict"
)

// budgetNames are the capabilities that an agent's session has budgets of, with
// the seed's defaults.
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

func (d *document) authorities(f *file) error {
	for i := range f.DesignatedAuthorities {
		a := &f.DesignatedAuthorities[i]
		at := indexed("designated_authorities", i)
		switch {
		case a.Name == "":
			return d.fail(at, "authority has no name: add name")
		case a.Jurisdiction == "":
			return d.fail(at, "authority %q has no jurisdiction: add one, such as \"US\"", a.Name)
		case len(a.Categories) == 0:
			return d.fail(at, "authority %q has no categories: add those that it is told of", a.Name)
		}
		out := Authority{Name: a.Name, Jurisdiction: a.Jurisdiction, PublicKey: a.PublicKey}
		for j, name := range a.Categories {
			if d.policy.category(verdict.Category(name)) == nil {
				return d.fail(indexed(at+".categories", j), "authority %q has the category %q, which the policy does not define", a.Name, name)
			}
			out.Categories = append(out.Categories, verdict.Category(name))
		}
		if !recipient(a.PublicKey) {
			return d.fail(at+".public_key", "public_key of %q is no age recipient: put the authority's own (age1...) there, a placeholder cannot be encrypted to", a.Name)
		}
		if a.ReportingEndpoint != "" {
			var err error
			if out.ReportingEndpoint, err = endpoint(a.ReportingEndpoint); err != nil {
				return d.fail(at+".reporting_endpoint", "reporting_endpoint %v", err)
			}
		}
		d.policy.Authorities = append(d.policy.Authorities, out)
	}
	return nil
}

// recipient reports whether s is an age recipient, classic or post-quantum.
func recipient(s string) bool {
	if _, err := age.ParseX25519Recipient(s); err == nil {
		return true
	}
	_, err := age.ParseHybridRecipient(s)
	return err == nil
}

func (d *document) provider(f *file) error {
	if f.ProviderService == nil {
		return nil
	}
	const at = "provider_service"
	p := &ProviderPosts{MaxRetries: 3, RetryBackoff: time.Second}
	for _, e := range []struct {
		key, given string
		into       *string
	}{
		{"verdict_endpoint", f.ProviderService.VerdictEndpoint, &p.VerdictEndpoint},
		{"disclosure_relay_endpoint", f.ProviderService.DisclosureRelayEndpoint, &p.DisclosureRelayEndpoint},
	} {
		if e.given == "" {
			continue
		}
		var err error
		if *e.into, err = endpoint(e.given); err != nil {
			return d.fail(at+"."+e.key, "%s %v", e.key, err)
		}
	}
	if n := f.ProviderService.MaxRetries; n != nil {
		if *n < 0 || *n > 1000 {
			return d.fail(at+".max_retries", "max_retries must be from 0 to 1000")
		}
		p.MaxRetries = *n
	}
	if ms := f.ProviderService.RetryBackoffMS; ms != nil {
		if *ms < 1 || *ms > 3_600_000 {
			return d.fail(at+".retry_backoff_ms", "retry_backoff_ms must be from 1 to 3600000")
		}
		p.RetryBackoff = time.Duration(*ms) * time.Millisecond
	}
	d.policy.Provider = p
	return nil
}

// CheckJurisdiction refuses a policy that would have to disclose to nobody: one
// with a disclosure threshold for a category that no authority of the
// jurisdiction is designated for.
func (p *Policy) CheckJurisdiction(jurisdiction string) error {
	for i := range p.Categories {
		c := &p.Categories[i]
		if c.DisclosureThreshold == nil {
			continue
		}
		if !slices.ContainsFunc(p.Authorities, func(a Authority) bool {
			return a.Jurisdiction == jurisdiction && slices.Contains(a.Categories, c.Name)
		}) {
			return fmt.Errorf("category %s has a mandatory_disclosure_threshold, but no authority of jurisdiction %q: designate one or remove the threshold", c.Name, jurisdiction)
		}
	}
	return nil
}

var errEndpoint = errors.New("must be an https URL, or http on loopback, without user, query or fragment")

// endpoint accepts where something may be sent: https anywhere, http only to
// this machine.
func endpoint(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errEndpoint
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return s, nil
	}
	return "", errEndpoint
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func indexed(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
