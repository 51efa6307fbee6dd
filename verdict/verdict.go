// Package verdict is the vocabulary that crosses rooms: stages, categories,
// actions, findings and decisions.
//
// Every type here is safe to log, count and send: enums, numbers, digests and
// identifiers of our own making. Never add a field that can hold words of a
// prompt or of a completion; this package imports nothing of ours so that
// nothing that reads content can reach it.
package verdict

import (
	"fmt"
	"regexp"
	"time"
)

// Stage names the point of the pipeline at which a decision fell.
type Stage string

// The stages of the pipeline, as they are written in verdicts.
const (
	PreInferenceGate  Stage = "PRE_INFERENCE_GATE"
	PostInferenceGate Stage = "POST_INFERENCE_GATE"
	ActionValidate    Stage = "ACTION_VALIDATE"
	TrajectoryAnalyze Stage = "TRAJECTORY_ANALYZE"
)

// Category names a risk. A policy may add its own to the five that are known.
type Category string

// The categories that every policy knows, and the two that none may define.
const (
	Bioterror   Category = "BIOTERROR"
	CSAM        Category = "CSAM"
	CyberAttack Category = "CYBER_ATTACK"
	CBRN        Category = "CBRN"
	Weapons     Category = "WEAPONS"

	// None stands where no finding counted.
	None Category = "NONE"
	// Unavailable stands where a component failed and the request was
	// therefore blocked unread.
	Unavailable Category = "UNAVAILABLE"
)

var categoryForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,31}$`)

// ParseCategory accepts a name that a policy may give to a category: 1 to 32
// upper-case letters, digits and underscores, starting with a letter, and
// neither NONE nor UNAVAILABLE.
func ParseCategory(name string) (Category, error) {
	if !categoryForm.MatchString(name) {
		return "", fmt.Errorf("category %q: want 1 to 32 upper-case letters, digits and underscores", name)
	}
	if c := Category(name); c != None && c != Unavailable {
		return c, nil
	}
	return "", fmt.Errorf("category %q is reserved", name)
}

// Action is what the gate does about a stage's findings. The values are in
// order of strength.
type Action uint8

// The actions, weakest first.
const (
	Allow Action = iota
	Warn
	Redact
	Block
)

var actionNames = [...]string{Allow: "ALLOW", Warn: "WARN", Redact: "REDACT", Block: "BLOCK"}

// String returns the action as it is written in policies and verdicts.
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return fmt.Sprintf("Action(%d)", uint8(a))
}

// MarshalText writes the action's name.
func (a Action) MarshalText() ([]byte, error) {
	if int(a) >= len(actionNames) {
		return nil, fmt.Errorf("no such action: %d", uint8(a))
	}
	return []byte(actionNames[a]), nil
}

// ParseAction reads an action that a policy may ask for: WARN, REDACT or BLOCK.
func ParseAction(name string) (Action, error) {
	for a := Warn; a <= Block; a++ {
		if actionNames[a] == name {
			return a, nil
		}
	}
	return Allow, fmt.Errorf("action %q: want BLOCK, REDACT or WARN", name)
}

// Finding is one classifier's word on one risk. It says nothing of where in
// the text it was found: that stays with the packages that read.
type Finding struct {
	Category     Category `json:"category"`
	Confidence   float64  `json:"confidence"` // 0 to 1
	ClassifierID string   `json:"classifier_id"`
}

// Decision is what the gate made of all the findings of one stage.
type Decision struct {
	Stage    Stage
	Action   Action
	Category Category // None where nothing counted
	// Findings holds, for each category, the finding of highest confidence,
	// in the policy's order of categories, whether or not it counted.
	Findings []Finding
}

// External is the verdict that leaves: these six fields and no more.
type External struct {
	VerdictID     string   `json:"verdict_id"`
	Stage         Stage    `json:"stage"`
	RiskCategory  Category `json:"risk_category"`
	Action        Action   `json:"action"`
	PolicyVersion string   `json:"policy_version"`
	Timestamp     string   `json:"timestamp"` // RFC 3339, UTC, whole seconds
}

// NewExternal words a decision for the outside. id must be random and ours.
func NewExternal(id string, d Decision, policyVersion string, at time.Time) External {
	return External{
		VerdictID:     id,
		Stage:         d.Stage,
		RiskCategory:  d.Category,
		Action:        d.Action,
		PolicyVersion: policyVersion,
		Timestamp:     at.UTC().Format(time.RFC3339),
	}
}

// Time returns the verdict's timestamp.
func (v *External) Time() (time.Time, error) { return time.Parse(time.RFC3339, v.Timestamp) }
