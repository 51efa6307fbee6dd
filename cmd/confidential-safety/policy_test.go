package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/policy"
)

// Every kind of error in a policy file ends in one line with its place.
func TestPolicyCheckErrors(t *testing.T) {
	files, err := filepath.Glob("../../policy/testdata/bad/*.toml")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	place := regexp.MustCompile(`^confidential-safety: \S+/([a-z_]+\.toml):[1-9][0-9]*:[1-9][0-9]*: \S.*\n$`)
	for _, file := range files {
		r := call(t, "", "policy", "check", file)
		m := place.FindStringSubmatch(r.stderr)
		if r.code != 2 || r.stdout != "" || m == nil || m[1] != filepath.Base(file) {
			t.Errorf("%s: %+v", file, r)
		}
	}
}

// full has every table that a policy may have.
const full = `[policy]
version = "1"
policy_id = "full"
[streaming]
mode = "full"
[[risk_categories]]
name = "WEAPONS"
action = "BLOCK"
mandatory_disclosure_threshold = 0.999
classifiers = [
  { type = "pattern_match", pattern_file = "giraffe.txt" },
  { type = "verified_model", endpoint = "https://guard.example/v1", expected_signing_address = "0x00000000000000000000000000000000000000aa", timeout_ms = 250 },
  { type = "local_model" },
]
[[risk_categories]]
name = "CODENAME"
input_threshold = 1
output_threshold = 1e-3
action = "REDACT"
classifiers = [{ type = "verified_model", endpoint = "http://127.0.0.1:1", expected_signing_address = "0x00000000000000000000000000000000000000AA" }]
[agent_policy]
max_suspicious_actions = 5
restricted_tools = []
[agent_policy.capability_budget]
file_reads = 0
[[agent_policy.attack_chain_patterns]]
name = "chain \"one\""
sequence = ["*read*", "[ab]?\\*"]
risk_score = 0.7
[[designated_authorities]]
name = "Example"
categories = ["WEAPONS", "CODENAME"]
jurisdiction = "US"
public_key = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
reporting_endpoint = "https://authority.example/report"
[provider_service]
verdict_endpoint = "https://provider.example/verdicts"
max_retries = 0
`

// What `policy show` prints is the same policy when it is read again beside the
// same pattern files, and says everything.
func TestPolicyShowRoundTrip(t *testing.T) {
	for name, c := range map[string]struct{ file, text string }{
		"default":  {"../../policy/default/policy.toml", ""},
		"golden":   {"../../policy/testdata/golden/policy.toml", ""},
		"commands": {testPolicy, ""},
		"full":     {testPolicy, full},
		"no agent": {testPolicy, "[policy]\nversion=\"1\"\npolicy_id=\"x\"\n[[risk_categories]]\nname=\"CBRN\"\naction=\"WARN\"\nclassifiers=[{type=\"local_model\"}]\n[agent_policy]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Dir(c.file))); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, "policy.toml")
			if c.text != "" {
				if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			before, err := policy.LoadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			shown := call(t, "", "policy", "show", file)
			asJSON := call(t, "", "policy", "show", "--json", file)
			if shown.code != 0 || asJSON.code != 0 {
				t.Fatalf("%+v, %+v", shown, asJSON)
			}
			if err := os.WriteFile(file, []byte(shown.stdout), 0o600); err != nil {
				t.Fatal(err)
			}
			if r := call(t, "", "policy", "check", file); r.code != 0 {
				t.Fatalf("%s\n%s", r.stderr, shown.stdout)
			}
			after, err := policy.LoadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			normalise(before.Policy)
			normalise(after.Policy)
			if !reflect.DeepEqual(before.Policy, after.Policy) {
				t.Errorf("%+v\nbecame\n%+v\nby\n%s", before.Policy, after.Policy, shown.stdout)
			}
			if again := call(t, "", "policy", "show", file); again.stdout != shown.stdout {
				t.Errorf("%s\nbecame\n%s", shown.stdout, again.stdout)
			}
			if again := call(t, "", "policy", "show", "--json", file); again.stdout != asJSON.stdout || !json.Valid([]byte(again.stdout)) {
				t.Errorf("%s\nbecame\n%s", asJSON.stdout, again.stdout)
			}
			if strings.Contains(asJSON.stdout, "null") || strings.Count(asJSON.stdout, "\n") != 1 {
				t.Errorf("%s", asJSON.stdout)
			}
		})
	}
}

// normalise makes lists without items equal.
func normalise(p *policy.Policy) {
	if p.Agent != nil && len(p.Agent.AttackChains) == 0 {
		p.Agent.AttackChains = nil
	}
}
