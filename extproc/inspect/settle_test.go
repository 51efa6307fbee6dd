package inspect

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/classify"
	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

func reasoning(text string) string {
	return fmt.Sprintf(`{"choices":[{"index":0,"delta":{"reasoning":%q}}]}`, text)
}

// waits is how much a stream of the given events holds back after each.
func waits(t *testing.T, d *Direction, events ...string) (held []int, last Step) {
	t.Helper()
	in, out := 0, 0
	for _, e := range events {
		s, err := d.Write(context.Background(), []byte(sse(e)))
		if err != nil {
			t.Fatal(err)
		}
		in, out, last = in+len(sse(e)), out+len(s.Release), s
		held = append(held, in-out)
		if s.Blocked {
			break
		}
	}
	return held, last
}

// What follows a part that ends in the beginning of a phrase is held for some
// events, and not until the end of the stream.
func TestSettled(t *testing.T) {
	elsewhere := slices.Repeat([]string{delta("0", "fine ")}, patience/ownEvent+1)
	for name, tc := range map[string]struct {
		events []string
		settle int // the event after which nothing is held; -1 for none
	}{
		"gone on elsewhere":    {append([]string{reasoning("so: codename")}, elsewhere...), patience / ownEvent},
		"another choice":       {append([]string{delta("1", "so: codename")}, elsewhere...), -1},
		"another choice, long": {append([]string{delta("1", "so: codename")}, slices.Repeat([]string{delta("0", "fine ")}, patience)...), patience},
		"a role meanwhile":     {append([]string{delta("0", "so: codename")}, slices.Repeat([]string{roleOnly}, patience+1)...), -1},
		"taking turns":         {slices.Concat(slices.Repeat([]string{reasoning("codename "), delta("0", "codename ")}, patience)), -1},
	} {
		held, _ := waits(t, New(loadPolicy(t, policy.Window), patterns(t), DefaultLimits()).Stream(chat(t)), tc.events...)
		if got := slices.Index(held, 0); got != tc.settle {
			t.Errorf("%s: held %v, want nothing held from %d on", name, held, tc.settle)
		}
	}
}

// At the end of its choice a part is settled at once.
func TestSettledByTheEnd(t *testing.T) {
	held, _ := waits(t, New(loadPolicy(t, policy.Window), patterns(t), DefaultLimits()).Stream(chat(t)), delta("0", "so: codename"), finished)
	if want := []int{len(sse(delta("0", "so: codename"))), len(sse(finished))}; !slices.Equal(held, want) {
		t.Errorf("held %v, want %v", held, want)
	}
}

// A part that goes on after it was settled still cannot complete a phrase.
func TestSettledPartGoesOn(t *testing.T) {
	elsewhere := slices.Repeat([]string{delta("0", "fine ")}, patience/ownEvent)
	for name, tc := range map[string]struct {
		begin, end string
		blocked    bool
		category   verdict.Category
		action     verdict.Action
	}{
		"blocks":                  {"so: codename", " nightjar ", true, verdict.Weapons, verdict.Block},
		"cannot be redacted":      {"so: project", " heron ", true, verdict.Bioterror, verdict.Block},
		"warns":                   {"so: operation", " finch ", false, verdict.CyberAttack, verdict.Warn},
		"is something else":       {"so: project", " swift", false, verdict.None, verdict.Allow},
		"redacts what comes then": {"so: project", " swift, project heron ", false, verdict.Bioterror, verdict.Redact},
	} {
		d := New(loadPolicy(t, policy.Window), patterns(t), DefaultLimits()).Stream(chat(t))
		_, last := waits(t, d, append(append([]string{reasoning(tc.begin)}, elsewhere...), reasoning(tc.end))...)
		if got := d.Decision(); last.Blocked != tc.blocked || got.Category != tc.category || got.Action != tc.action {
			t.Errorf("%s: %+v, %+v", name, last, got)
		}
		if strings.Contains(string(last.Release), "heron") {
			t.Errorf("%s: released %q", name, last.Release)
		}
	}
}

// A phrase that is complete when its part is left counts.
func TestSettledAtTheEndOfAPhrase(t *testing.T) {
	d := New(loadPolicy(t, policy.Window), patterns(t), DefaultLimits()).Stream(chat(t))
	_, last := waits(t, d, reasoning("so: codename nightjar"), finished)
	if !last.Blocked || d.Decision().Category != verdict.Weapons {
		t.Errorf("%+v, %+v", last, d.Decision())
	}
}

// A classifier that fails or lies when it settles lets nothing out.
func TestBrokenSettling(t *testing.T) {
	unclear := func(int64) ([]classify.Match, int64, error) { return nil, 0, nil }
	for name, c := range map[string]fake{
		"error": {write: unclear},
		"beyond the text": {write: unclear, settle: func(n int64) ([]classify.Match, error) {
			return []classify.Match{match(0, n+1, verdict.CyberAttack, .9)}, nil
		}},
		"below 0": {write: unclear, settle: func(int64) ([]classify.Match, error) {
			return []classify.Match{match(-1, 1, verdict.CyberAttack, .1)}, nil
		}},
	} {
		d := New(loadPolicy(t, policy.Window), c, DefaultLimits()).Stream(chat(t))
		if s, err := d.Write(context.Background(), []byte(sse(delta("0", "hi"), finished))); err == nil || len(s.Release) > 0 {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}
