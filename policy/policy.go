// Package policy holds the safety policy: its file, strictly parsed, the bundle
// of that file and all that it names, the bundle's digest, and the gate that
// turns findings into a decision.
//
// A [Policy] is immutable and complete: Load returns one that can be judged by,
// or an error that says where the file is wrong. Never fall back from a policy
// that does not load to another, and never let this package see a text that is
// to be judged: it must not import package decode.
package policy

import (
	"time"

	"github.com/difflabai/confidential-safety/verdict"
)

// Policy is a parsed policy file.
type Policy struct {
	Version, ID string
	Streaming   Streaming
	Unread      []Surface      // what passes unread; none by default
	Categories  []Category     // in the file's order
	Agent       *AgentPolicy   // nil without [agent_policy]
	Authorities []Authority    // [[designated_authorities]]
	Provider    *ProviderPosts // nil without [provider_service]
}

// Streaming says how much of a streamed response is held back.
type Streaming string

// The streaming modes. There is none that does not gate.
const (
	// Window releases what is cleared while the response goes on.
	Window Streaming = "window"
	// Full holds the whole response until all of it is cleared.
	Full Streaming = "full"
)

// Category is one [[risk_categories]] of the policy.
type Category struct {
	Name verdict.Category
	// A confidence at or above the threshold of its stage counts. Both are
	// above 0 and at most 1.
	InputThreshold, OutputThreshold float64
	Action                          verdict.Action
	DisclosureThreshold             *float64 // nil: never disclosed
	Classifiers                     []Classifier
}

// ClassifierType says what kind of classifier a category asks for.
type ClassifierType string

// The types of classifiers.
const (
	PatternMatch  ClassifierType = "pattern_match"
	LocalModel    ClassifierType = "local_model"
	VerifiedModel ClassifierType = "verified_model"
)

// Classifier is one entry of a category's classifiers.
type Classifier struct {
	Type        ClassifierType
	PatternFile string // of a pattern_match: a file of the bundle
	// WeightsFile is a file of the bundle, of a local_model; "" is for the
	// weights that are part of the program.
	WeightsFile string

	// Of a verified_model.
	Endpoint               string
	ExpectedSigningAddress string // 0x and 40 hex digits
	Timeout                time.Duration
}

// AgentPolicy is the [agent_policy] of the policy.
type AgentPolicy struct {
	MaxSuspiciousActions  int
	TrajectoryWindowTurns int
	RestrictedTools       []string
	CapabilityBudget      map[string]int // by the names of budgetNames
	AttackChains          []AttackChain
}

// AttackChain is one of the [[agent_policy.attack_chain_patterns]].
type AttackChain struct {
	Name      string
	Sequence  []string // globs, in order, not necessarily adjacent
	RiskScore float64  // above 0, at most 1
}

// Authority is one of the [[designated_authorities]].
type Authority struct {
	Name              string
	Categories        []verdict.Category
	Jurisdiction      string
	PublicKey         string // an age recipient
	ReportingEndpoint string // may be empty
}

// ProviderPosts is the [provider_service] of the policy.
type ProviderPosts struct {
	VerdictEndpoint, DisclosureRelayEndpoint string // may be empty
	MaxRetries                               int
	RetryBackoff                             time.Duration
}
