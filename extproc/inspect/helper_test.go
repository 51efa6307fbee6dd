package inspect

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/difflabai/confidential-safety/classify"
	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

// The phrases of the tests. What each does is its category's action.
const testPolicy = `[policy]
version = "7"
policy_id = "inspect-test"
[streaming]
mode = "MODE"
[[risk_categories]]
name = "WEAPONS"
action = "BLOCK"
classifiers = [{ type = "pattern_match", pattern_file = "block.txt" }]
[[risk_categories]]
name = "BIOTERROR"
action = "REDACT"
classifiers = [{ type = "pattern_match", pattern_file = "redact.txt" }]
[[risk_categories]]
name = "CYBER_ATTACK"
action = "WARN"
classifiers = [{ type = "pattern_match", pattern_file = "warn.txt" }]
`

var phrases = map[verdict.Category]string{
	verdict.Weapons:     "codename nightjar\n",
	verdict.Bioterror:   "project heron\ngrüner Reiher\nheron nest survey\n",
	verdict.CyberAttack: "operation finch\n",
}

func loadPolicy(t testing.TB, mode policy.Streaming) *policy.Policy {
	t.Helper()
	b, err := policy.Load(fstest.MapFS{
		"policy.toml": {Data: []byte(strings.Replace(testPolicy, "MODE", string(mode), 1))},
		"block.txt":   {Data: []byte(phrases[verdict.Weapons])},
		"redact.txt":  {Data: []byte(phrases[verdict.Bioterror])},
		"warn.txt":    {Data: []byte(phrases[verdict.CyberAttack])},
	}, "policy.toml")
	if err != nil {
		t.Fatal(err)
	}
	return b.Policy
}

func patterns(t testing.TB) classify.Classifier {
	t.Helper()
	var rules []classify.Rule
	for category, file := range phrases {
		list, err := classify.ParsePatterns(string(category), []byte(file))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			rules = append(rules, classify.Rule{Pattern: p, Category: category, ClassifierID: "patterns"})
		}
	}
	c, err := classify.NewPatterns(rules)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newInspector(t testing.TB, mode policy.Streaming) *Inspector {
	t.Helper()
	return New(loadPolicy(t, mode), patterns(t), DefaultLimits())
}

// apis are made once: tests have thousands of directions.
var apis = sync.OnceValue(decode.APIs)

func chat(t testing.TB) *decode.API {
	t.Helper()
	a, ok := decode.Lookup(apis(), "POST", "/v1/chat/completions")
	if !ok {
		t.Fatal("no chat completions")
	}
	return a
}

// outcome is all that a direction let out and how it ended.
type outcome struct {
	out     string
	blocked bool
	fault   Fault
}

// drive feeds the chunks to a direction and ends it, as extproc does.
func drive(t testing.TB, d *Direction, chunks ...string) (o outcome) {
	t.Helper()
	var out bytes.Buffer
	take := func(s Step, err error) bool {
		if (err != nil || s.Blocked) && len(s.Release) > 0 {
			t.Fatal("bytes and a block in one step")
		}
		out.Write(s.Release)
		o.out, o.blocked = out.String(), s.Blocked
		var e *Error
		if errors.As(err, &e) {
			o.fault = e.Fault
		} else if err != nil {
			t.Fatalf("untyped error: %v", err)
		}
		return err == nil && !s.Blocked
	}
	for _, c := range chunks {
		if !take(d.Write(context.Background(), []byte(c))) {
			return o
		}
	}
	take(d.End(context.Background()))
	return o
}

// splits calls f with s cut at every byte position, and once uncut.
func splits(s string, f func(at int, chunks ...string)) {
	f(0, s)
	for i := 1; i < len(s); i++ {
		f(i, s[:i], s[i:])
	}
}

// bytewise cuts s into its bytes.
func bytewise(s string) []string {
	chunks := make([]string, len(s))
	for i := range len(s) { // of bytes, not of characters
		chunks[i] = s[i : i+1]
	}
	return chunks
}

// sse makes a stream of the given data lines.
func sse(data ...string) string {
	var b strings.Builder
	for _, d := range data {
		b.WriteString("data: " + d + "\n\n")
	}
	return b.String()
}

// delta is a chunk in which a choice's content goes on by text, given as the
// inside of a JSON string.
func delta(choice, text string) string {
	return `{"id":"c1","created":7,"model":"m","choices":[{"index":` + choice + `,"delta":{"content":"` + text + `"}}]}`
}

const (
	roleOnly = `{"id":"c1","created":7,"model":"m","choices":[{"index":0,"delta":{"role":"assistant"}}]}`
	finished = `{"id":"c1","created":7,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`
	done     = "[DONE]"
)
