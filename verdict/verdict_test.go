package verdict

import (
	"encoding/json"
	"testing"
	"time"
)

func TestParseCategory(t *testing.T) {
	for name, ok := range map[string]bool{
		"BIOTERROR": true, "CYBER_ATTACK": true, "X": true, "A1_B": true,
		"": false, "lower": false, "1X": false, "_X": false, "A B": false, "A\n": false,
		"NONE": false, "UNAVAILABLE": false,
		"A23456789012345678901234567890123": false,
	} {
		got, err := ParseCategory(name)
		if (err == nil) != ok {
			t.Errorf("ParseCategory(%q): %v, want ok=%v", name, err, ok)
		}
		if ok && string(got) != name {
			t.Errorf("ParseCategory(%q) = %q", name, got)
		}
	}
}

func TestParseAction(t *testing.T) {
	for name, want := range map[string]Action{"WARN": Warn, "REDACT": Redact, "BLOCK": Block} {
		if got, err := ParseAction(name); err != nil || got != want {
			t.Errorf("ParseAction(%q) = %v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "ALLOW", "block", "BLOCK "} {
		if got, err := ParseAction(name); err == nil {
			t.Errorf("ParseAction(%q) = %v, want an error", name, got)
		}
	}
}

// The external verdict is a published format: exactly these six fields.
func TestExternalForm(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678, time.FixedZone("x", 3600))
	d := Decision{Stage: PostInferenceGate, Action: Block, Category: CBRN}
	got, err := json.Marshal(NewExternal("v1", d, "1.0.0", at))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"verdict_id":"v1","stage":"POST_INFERENCE_GATE","risk_category":"CBRN","action":"BLOCK","policy_version":"1.0.0","timestamp":"2026-01-02T02:04:05Z"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, err := json.Marshal(Action(9)); err == nil {
		t.Error("an unknown action was marshalled")
	}
}
