package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What docs/policy.md shows of rules is a pattern file, and what it says of them
// is what the commands say.
func TestDocumentedRules(t *testing.T) {
	text, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "<!-- rules -->\n```text\n")
	file, rest, _ := strings.Cut(rest, "```\n")
	_, rest, _ = strings.Cut(rest, "<!-- explain -->\n```console\n$ echo '")
	asked, rest, _ := strings.Cut(rest, "' | confidential-safety policy explain --policy policy.toml --stage input\n")
	want, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("docs/policy.md shows no rules, or does not explain them")
	}
	dir := t.TempDir()
	t.Chdir(dir)
	for name, content := range map[string]string{"agents.txt": file, "policy.toml": `policy = { version = "1", policy_id = "documented" }
[[risk_categories]]
name = "BIOTERROR"
action = "BLOCK"
classifiers = [{ type = "pattern_match", pattern_file = "agents.txt" }]
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if r := call(t, "", "policy", "check", "policy.toml"); r.code != 0 || !strings.HasSuffix(r.stdout, ", 1 rule\n") {
		t.Errorf("%+v", r)
	}
	if r := call(t, asked+"\n", "policy", "explain", "--policy", "policy.toml", "--stage", "input"); r.stdout != want {
		t.Errorf("%s%s\nwant %s", r.stdout, r.stderr, want)
	}
}
