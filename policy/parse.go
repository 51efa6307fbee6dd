package policy

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

// Error says what is wrong with a policy file, where, and what to do about it.
type Error struct {
	File         string
	Line, Column int // from 1
	Msg          string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg)
}

// file is a policy file as TOML has it. Pointers tell what is absent.
type file struct {
	Policy struct {
		Version       *string `toml:"version"`
		PolicyID      *string `toml:"policy_id"`
		HashAlgorithm *string `toml:"hash_algorithm"`
	} `toml:"policy"`
	Streaming struct {
		Mode *string `toml:"mode"`
	} `toml:"streaming"`
	Unreadable            map[string]string `toml:"unreadable"`
	RiskCategories        []fileCategory    `toml:"risk_categories"`
	AgentPolicy           *fileAgent        `toml:"agent_policy"`
	DesignatedAuthorities []fileAuthority   `toml:"designated_authorities"`
	ProviderService       *fileProvider     `toml:"provider_service"`
}

type fileCategory struct {
	Name                string           `toml:"name"`
	InputThreshold      *float64         `toml:"input_threshold"`
	OutputThreshold     *float64         `toml:"output_threshold"`
	Action              string           `toml:"action"`
	DisclosureThreshold *float64         `toml:"mandatory_disclosure_threshold"`
	Classifiers         []fileClassifier `toml:"classifiers"`
}

type fileClassifier struct {
	Type                   string  `toml:"type"`
	PatternFile            *string `toml:"pattern_file"`
	WeightsFile            *string `toml:"weights_file"`
	Endpoint               *string `toml:"endpoint"`
	ExpectedSigningAddress *string `toml:"expected_signing_address"`
	TimeoutMS              *int64  `toml:"timeout_ms"`
}

type fileAgent struct {
	MaxSuspiciousActions  *int             `toml:"max_suspicious_actions"`
	TrajectoryWindowTurns *int             `toml:"trajectory_window_turns"`
	RestrictedTools       *[]string        `toml:"restricted_tools"`
	CapabilityBudget      map[string]int64 `toml:"capability_budget"`
	AttackChainPatterns   []fileChain      `toml:"attack_chain_patterns"`
}

type fileChain struct {
	Name      string   `toml:"name"`
	Sequence  []string `toml:"sequence"`
	RiskScore float64  `toml:"risk_score"`
}

type fileAuthority struct {
	Name              string   `toml:"name"`
	Categories        []string `toml:"categories"`
	Jurisdiction      string   `toml:"jurisdiction"`
	PublicKey         string   `toml:"public_key"`
	ReportingEndpoint string   `toml:"reporting_endpoint"`
}

type fileProvider struct {
	VerdictEndpoint         string `toml:"verdict_endpoint"`
	DisclosureRelayEndpoint string `toml:"disclosure_relay_endpoint"`
	MaxRetries              *int   `toml:"max_retries"`
	RetryBackoffMS          *int64 `toml:"retry_backoff_ms"`
}

// document is a policy file on its way to a policy.
type document struct {
	name   string
	at     positions
	policy *Policy
	files  []fileRef
}

// fileRef is a file that the policy names, and where.
type fileRef struct {
	name string
	at   string // path of the key
	key  string // its last part
}

// fail returns an error at the key with the given path.
func (d *document) fail(path, format string, args ...any) error {
	at := d.at.of(path)
	return &Error{d.name, at.line, at.column, fmt.Sprintf(format, args...)}
}

// parse reads a policy file strictly.
func parse(name string, data []byte) (*document, error) {
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return nil, &Error{name, 1, 1, "not a text file in UTF-8: save it as UTF-8"}
	}
	var f file
	if err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(&f); err != nil {
		return nil, decodeError(name, err)
	}
	at, misspelled := locate(data)
	d := &document{name: name, at: at, policy: &Policy{}}
	if misspelled != "" {
		return nil, d.fail(misspelled, unknownKey, misspelled)
	}
	if err := d.validate(&f); err != nil {
		return nil, err
	}
	return d, nil
}

const unknownKey = "unknown key %q: remove it or correct its spelling"

// goType is how the TOML decoder names where a value of a wrong type stands:
// the field may be of a struct that has no name, and is then long.
var goType = regexp.MustCompile(`cannot decode TOML (\S+) into (?:struct field .+ of type|a Go value of type) (\S+)`)

// decodeError words an error of the TOML decoder on one line.
func decodeError(name string, err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		e := &strict.Errors[0]
		line, column := e.Position()
		return &Error{name, line, column, fmt.Sprintf(unknownKey, strings.Join(e.Key(), "."))}
	}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		line, column := decode.Position()
		msg := strings.TrimPrefix(decode.Error(), "toml: ")
		if goType.MatchString(msg) {
			msg = goType.ReplaceAllString(msg, "a TOML $1 stands where a $2 is wanted: correct the value")
		} else {
			msg += ": correct the TOML"
		}
		return &Error{name, line, column, strings.ReplaceAll(msg, "\n", " ")}
	}
	return &Error{name, 1, 1, strings.ReplaceAll(err.Error(), "\n", " ")}
}
