package main

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/difflabai/confidential-safety/envoy"
	"github.com/difflabai/confidential-safety/extproc"
	"github.com/difflabai/confidential-safety/extproc/inspect"
)

// defaultLimits are those of the help and of docs/limits.md.
func defaultLimits() limits {
	return limits{
		requestTimeout: time.Minute, upstreamTimeout: 10 * time.Minute, responseTimeout: time.Hour,
		streamIdleTimeout: time.Hour, drainTimeout: 30 * time.Second,
		maxBody: 8 << 20, maxDepth: 64, maxEvent: 8 << 20, maxHeld: 8 << 20,
		maxHeaderKB: 60, maxHeaders: 100, maxMessage: 4 << 20,
		maxConnections: 1024, maxConnectionStreams: 100, maxRequests: 1024,
		maxInspected: 256 << 20, envoyMemory: 1 << 30,
	}
}

// counts are the good values least and most of a number, and bad ones.
func counts(least, most string, bad ...string) struct{ good, bad []string } {
	return struct{ good, bad []string }{
		[]string{least, most},
		append(bad, "-1", "1e6", "8MB", "1.0", "0x10", " 1", "99999999999999999999", "many"),
	}
}

// The defaults of the settings are those of the package that keeps to them.
func TestDefaultsAgree(t *testing.T) {
	l, b := defaultLimits(), extproc.NewBudget(1)
	got, want := l.inspected(b), inspect.DefaultLimits()
	if got.Requests == nil || got.Responses == nil {
		t.Error("nothing bounds all bodies together")
	}
	if got.Requests, got.Responses = nil, nil; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Each limit gets to where it counts.
func TestLimitsArrive(t *testing.T) {
	l := limits{
		requestTimeout: time.Second, responseTimeout: time.Minute, streamIdleTimeout: 5 * time.Second,
		maxBody: 1, maxDepth: 2, maxEvent: 3, maxHeld: 4, maxHeaderKB: 5, maxHeaders: 6,
		maxConnections: 7, maxConnectionStreams: 8, maxRequests: 9, envoyMemory: 10,
	}
	in := l.inspected(extproc.NewBudget(1))
	if d := in.Decode; d.Body != 1 || d.Depth != 2 || d.Event != 3 || in.Held != 4 || in.Stream != 1 {
		t.Errorf("%+v", in)
	}
	var e envoy.Settings
	l.bound(&e)
	want := envoy.Settings{
		HeaderKB: 5, Headers: 6, Connections: 7, ConnectionStreams: 8, Requests: 9, Memory: 10,
		StreamIdle: 5 * time.Second, StreamMax: time.Second + 2*time.Minute,
	}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("%+v, want %+v", e, want)
	}
}

// Limits that only make sense together are refused at start, in words that name
// both.
func TestLimitsTogether(t *testing.T) {
	for name, c := range map[string]struct {
		flags []string
		want  []string // in the error; nil where they are accepted
	}{
		"idle as long as the upstream":   {[]string{"--upstream-timeout", "1h"}, []string{"--stream-idle-timeout: 1h0m0s is not above --upstream-timeout, 1h0m0s"}},
		"idle shorter than the request":  {[]string{"--request-timeout", "2h"}, []string{"--stream-idle-timeout", "--request-timeout, 2h0m0s"}},
		"both raised":                    {[]string{"--upstream-timeout", "1h", "--stream-idle-timeout", "61m"}, nil},
		"no room for four bodies":        {[]string{"--max-body", "67108865"}, []string{"--max-inspected: 268435456 is less than 4 times --max-body, 67108865"}},
		"room for four bodies":           {[]string{"--max-body", "1073741824", "--max-inspected", "4294967296"}, nil},
		"no room for four streams":       {[]string{"--max-held", "67108865"}, []string{"--max-inspected", "--max-held, 67108865"}},
		"an event more than may be held": {[]string{"--max-event", "8388609"}, []string{"--max-held: 8388608 is less than --max-event, 8388609"}},
	} {
		_, err := parsed(t, c.flags...)
		if err == nil != (c.want == nil) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, words := range c.want {
			if !strings.Contains(err.Error(), words) {
				t.Errorf("%s: %q does not say %q", name, err, words)
			}
		}
	}
}

// Every limit has its row in the documents, with its default.
func TestLimitsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for _, s := range settings() {
		limit := strings.HasPrefix(s.name, "max-") || strings.HasSuffix(s.name, "-timeout") || s.name == "envoy-memory"
		row := slices.ContainsFunc(lines, func(line string) bool {
			return strings.HasPrefix(line, "| `--"+s.name+"` | "+s.value+" ")
		})
		if limit && !row {
			t.Errorf("docs/limits.md has no row for --%s with its default %s", s.name, s.value)
		}
	}
}
