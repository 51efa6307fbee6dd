package main

import (
	"encoding/json"
	"io"

	"github.com/pelletier/go-toml/v2"

	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

// effective is a policy in the schema of its file, with nothing left out.
type effective struct {
	Policy struct {
		Version       string `json:"version" toml:"version"`
		PolicyID      string `json:"policy_id" toml:"policy_id"`
		HashAlgorithm string `json:"hash_algorithm" toml:"hash_algorithm"`
	} `json:"policy" toml:"policy"`
	Streaming struct {
		Mode policy.Streaming `json:"mode" toml:"mode"`
	} `json:"streaming" toml:"streaming"`
	Unreadable  map[policy.Surface]string `json:"unreadable" toml:"unreadable"`
	Categories  []effectiveCategory       `json:"risk_categories" toml:"risk_categories"`
	Agent       *effectiveAgent           `json:"agent_policy,omitempty" toml:"agent_policy,omitempty"`
	Authorities []effectiveAuthority      `json:"designated_authorities,omitempty" toml:"designated_authorities,omitempty"`
	Provider    *effectiveProvider        `json:"provider_service,omitempty" toml:"provider_service,omitempty"`
}

type effectiveCategory struct {
	Name                verdict.Category      `json:"name" toml:"name"`
	InputThreshold      float64               `json:"input_threshold" toml:"input_threshold"`
	OutputThreshold     float64               `json:"output_threshold" toml:"output_threshold"`
	Action              string                `json:"action" toml:"action"`
	DisclosureThreshold *float64              `json:"mandatory_disclosure_threshold,omitempty" toml:"mandatory_disclosure_threshold,omitempty"`
	Classifiers         []effectiveClassifier `json:"classifiers" toml:"classifiers,inline"`
}

type effectiveClassifier struct {
	Type                   policy.ClassifierType `json:"type" toml:"type"`
	PatternFile            string                `json:"pattern_file,omitempty" toml:"pattern_file,omitempty"`
	WeightsFile            string                `json:"weights_file,omitempty" toml:"weights_file,omitempty"`
	Endpoint               string                `json:"endpoint,omitempty" toml:"endpoint,omitempty"`
	ExpectedSigningAddress string                `json:"expected_signing_address,omitempty" toml:"expected_signing_address,omitempty"`
	TimeoutMS              int64                 `json:"timeout_ms,omitempty" toml:"timeout_ms,omitempty"`
}

type effectiveAgent struct {
	MaxSuspiciousActions  int              `json:"max_suspicious_actions" toml:"max_suspicious_actions"`
	TrajectoryWindowTurns int              `json:"trajectory_window_turns" toml:"trajectory_window_turns"`
	RestrictedTools       []string         `json:"restricted_tools" toml:"restricted_tools"`
	CapabilityBudget      map[string]int   `json:"capability_budget" toml:"capability_budget"`
	AttackChains          []effectiveChain `json:"attack_chain_patterns" toml:"attack_chain_patterns"`
}

type effectiveChain struct {
	Name      string   `json:"name" toml:"name"`
	Sequence  []string `json:"sequence" toml:"sequence"`
	RiskScore float64  `json:"risk_score" toml:"risk_score"`
}

type effectiveAuthority struct {
	Name              string             `json:"name" toml:"name"`
	Categories        []verdict.Category `json:"categories" toml:"categories"`
	Jurisdiction      string             `json:"jurisdiction" toml:"jurisdiction"`
	PublicKey         string             `json:"public_key" toml:"public_key"`
	ReportingEndpoint string             `json:"reporting_endpoint,omitempty" toml:"reporting_endpoint,omitempty"`
}

type effectiveProvider struct {
	VerdictEndpoint         string `json:"verdict_endpoint,omitempty" toml:"verdict_endpoint,omitempty"`
	DisclosureRelayEndpoint string `json:"disclosure_relay_endpoint,omitempty" toml:"disclosure_relay_endpoint,omitempty"`
	MaxRetries              int    `json:"max_retries" toml:"max_retries"`
	RetryBackoffMS          int64  `json:"retry_backoff_ms" toml:"retry_backoff_ms"`
}

func effectiveOf(p *policy.Policy) (e effective) {
	e.Policy.Version, e.Policy.PolicyID, e.Policy.HashAlgorithm = p.Version, p.ID, "sha256"
	e.Streaming.Mode = p.Streaming
	e.Unreadable = make(map[policy.Surface]string)
	for _, s := range policy.Surfaces() {
		e.Unreadable[s] = verdict.Block.String()
	}
	for _, s := range p.Unread {
		e.Unreadable[s] = verdict.Allow.String()
	}
	for _, c := range p.Categories {
		category := effectiveCategory{
			Name: c.Name, InputThreshold: c.InputThreshold, OutputThreshold: c.OutputThreshold,
			Action: c.Action.String(), DisclosureThreshold: c.DisclosureThreshold,
		}
		for _, cl := range c.Classifiers {
			category.Classifiers = append(category.Classifiers, effectiveClassifier{
				cl.Type, cl.PatternFile, cl.WeightsFile, cl.Endpoint, cl.ExpectedSigningAddress, cl.Timeout.Milliseconds(),
			})
		}
		e.Categories = append(e.Categories, category)
	}
	if a := p.Agent; a != nil {
		e.Agent = &effectiveAgent{
			MaxSuspiciousActions: a.MaxSuspiciousActions, TrajectoryWindowTurns: a.TrajectoryWindowTurns,
			RestrictedTools: a.RestrictedTools, CapabilityBudget: a.CapabilityBudget,
			AttackChains: []effectiveChain{}, // [], not null
		}
		for _, c := range a.AttackChains {
			e.Agent.AttackChains = append(e.Agent.AttackChains, effectiveChain(c))
		}
	}
	for _, a := range p.Authorities {
		e.Authorities = append(e.Authorities, effectiveAuthority(a))
	}
	if s := p.Provider; s != nil {
		e.Provider = &effectiveProvider{s.VerdictEndpoint, s.DisclosureRelayEndpoint, s.MaxRetries, s.RetryBackoff.Milliseconds()}
	}
	return e
}

func writeEffective(w io.Writer, b *policy.Bundle, _ string, asJSON bool) error {
	e := effectiveOf(b.Policy)
	if asJSON {
		return json.NewEncoder(w).Encode(e)
	}
	enc := toml.NewEncoder(w)
	enc.SetArraysMultiline(false)
	return enc.Encode(e)
}
