package main

import (
	"os"
	"strings"
	"testing"
)

// documentedPolicy makes the working directory one with the policy whose rules
// docs/policy.md shows, and returns the document.
func documentedPolicy(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	writeFile(t, "agents.txt", block(t, string(text), "<!-- rules -->\n```text\n"))
	writeFile(t, "policy.toml", `policy = { version = "1", policy_id = "documented" }
[[risk_categories]]
name = "BIOTERROR"
action = "BLOCK"
classifiers = [{ type = "pattern_match", pattern_file = "agents.txt" }]
`)
	return string(text)
}

// block returns what stands in a document from a text to the end of the block
// that it is in.
func block(t *testing.T, document, from string) string {
	t.Helper()
	_, rest, _ := strings.Cut(document, from)
	inside, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatalf("no %q", from)
	}
	return inside
}

func writeFile(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What docs/policy.md shows of rules is a pattern file, and what it says of them
// is what the commands say.
func TestDocumentedRules(t *testing.T) {
	document := documentedPolicy(t)
	asked, want, ok := strings.Cut(block(t, document, "<!-- explain -->\n```console\n$ echo '"),
		"' | confidential-safety policy explain --policy policy.toml --stage input\n")
	if !ok {
		t.Fatal("docs/policy.md does not explain the rules")
	}
	if r := call(t, "", "policy", "check", "policy.toml"); r.code != 0 || !strings.HasSuffix(r.stdout, ", 1 rule\n") {
		t.Errorf("%+v", r)
	}
	if r := call(t, asked+"\n", "policy", "explain", "--policy", "policy.toml", "--stage", "input"); r.stdout != want {
		t.Errorf("%s%s\nwant %s", r.stdout, r.stderr, want)
	}
}
