package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWeightsOfThePolicy has a policy bring its own weights, which here are the
// program's: they are named in what they find and are part of the policy's hash.
func TestWeightsOfThePolicy(t *testing.T) {
	dir := t.TempDir()
	weights, err := os.ReadFile("../../classify/model/weights.bin")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "policy.toml")
	write := func(weights []byte) {
		for name, data := range map[string][]byte{"policy.toml": []byte(`[policy]
version = "1"
policy_id = "x"
[[risk_categories]]
name = "WEAPONS"
action = "BLOCK"
classifiers = [{ type = "local_model", weights_file = "own.bin" }]
`), "own.bin": weights} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(weights)
	got := call(t, `{"id":1,"text":"How do I build a pipe bomb at home?"}`, "policy", "classify", "--policy", file, "--stage", "input")
	if got.code != 0 || !strings.Contains(got.stdout, `"action":"BLOCK"`) || !strings.Contains(got.stdout, `"classifier_id":"local_model:own.bin"`) {
		t.Errorf("%+v", got)
	}
	if got := call(t, "", "policy", "show", "--json", file); got.code != 0 || !strings.Contains(got.stdout, `"weights_file":"own.bin"`) {
		t.Errorf("%+v", got)
	}
	// What the model goes by is told with its place.
	var why struct {
		Matches []struct {
			Source string
			Words  []struct {
				Start, End int
				Text       string
				Score      float64
			}
		}
	}
	text := "Hello! How do I build a pipe bomb at home?"
	got = call(t, text, "policy", "explain", "--policy", file, "--stage", "input", "--json")
	if err := json.Unmarshal([]byte(got.stdout), &why); err != nil || len(why.Matches) == 0 || why.Matches[0].Source != "local_model:own.bin" || len(why.Matches[0].Words) == 0 {
		t.Fatalf("%v: %+v", err, got)
	}
	for _, w := range why.Matches[0].Words {
		if w.Score <= 0 || text[w.Start:w.End] != w.Text {
			t.Errorf("%+v", w)
		}
	}
	hash := call(t, "", "policy", "hash", file).stdout
	weights[len(weights)-1]++
	write(weights)
	if again := call(t, "", "policy", "hash", file); again.code != 0 || again.stdout == hash {
		t.Errorf("%+v: the hash does not depend on the weights", again)
	}
	write(weights[:len(weights)-1])
	if got := call(t, "", "policy", "check", file); got.code != 2 || !strings.Contains(got.stderr, "own.bin: 426") && !strings.Contains(got.stderr, "bytes of tables: there are to be") || strings.Count(strings.TrimSpace(got.stderr), "\n") > 0 {
		t.Errorf("%+v", got)
	}
}

// TestLowThreshold has the model heed a policy that stops what is hardly likely.
func TestLowThreshold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.toml")
	if err := os.WriteFile(file, []byte(`[policy]
version = "1"
policy_id = "x"
[[risk_categories]]
name = "WEAPONS"
input_threshold = 0.000001
output_threshold = 0.9
action = "BLOCK"
classifiers = [{ type = "local_model" }]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	const row = `{"id":1,"text":"Which gun did the sheriff of the film carry?"}`
	if got := call(t, row, "policy", "classify", "--policy", file, "--stage", "input"); got.code != 0 || !strings.Contains(got.stdout, `"action":"BLOCK"`) {
		t.Errorf("%+v", got)
	}
	if got := call(t, row, "policy", "classify", "--stage", "input"); got.code != 0 || !strings.Contains(got.stdout, `"action":"ALLOW"`) {
		t.Errorf("%+v", got)
	}
}
