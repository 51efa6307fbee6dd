package metrics

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/difflabai/confidential-safety/verdict"
)

var update = flag.Bool("update", false, "write the golden file")

func testRegistry() *Registry {
	return New(Config{
		APIs: []string{"chat_completions"}, Codes: []string{"content_blocked", "busy", "full"}, Busy: "busy", Overloaded: "full",
		Categories: []verdict.Category{"WEAPONS", "OWN_RISK"},
		Version:    "1.2.3", Commit: "abc", GoVersion: "go1",
		Inspected: func() int64 { return 42 }, InspectedLimit: 64,
	})
}

// exposition is what a scrape gets of ours.
func exposition(t testing.TB, r *Registry) (ours, all string) {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	b, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != 200 {
		t.Fatal(w.Code, err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, namespace) {
			out.WriteString(line)
		}
	}
	return out.String(), string(b)
}

func ended(r *Registry, api, code string, v *verdict.External, recorded bool) {
	r.Began()
	r.Ended(api, code, v, recorded)
}

// TestGolden pins every name, help, label and value of a short history:
// dashboards and alerts are made of them.
func TestGolden(t *testing.T) {
	r := testRegistry()
	allow := &verdict.External{Stage: verdict.PostInferenceGate, RiskCategory: verdict.None, Action: verdict.Allow}
	block := &verdict.External{Stage: verdict.PreInferenceGate, RiskCategory: "OWN_RISK", Action: verdict.Block}
	away := &verdict.External{Stage: verdict.PreInferenceGate, RiskCategory: verdict.Unavailable, Action: verdict.Block}
	r.Began()
	ended(r, "chat_completions", "", allow, true)
	ended(r, "chat_completions", "content_blocked", block, true)
	ended(r, "chat_completions", "busy", away, true)
	ended(r, "chat_completions", "full", away, false)
	r.Noticed("unrecorded")
	ended(r, "chat_completions", "", nil, false) // recording panicked
	r.Noticed("unrecorded")
	ended(r, "chat_completions", "", allow, false) // one that is not recorded
	ended(r, "", "", nil, false)                   // health
	ended(r, "", "content_blocked", nil, false)
	r.Noticed("panic")
	r.Noticed("deadline")
	r.Moved(false, 100, 0)
	r.Moved(true, 0, 7)
	got, all := exposition(t, r)
	if *update {
		if err := os.WriteFile("testdata/metrics.txt", []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs; if that is meant: go test ./metrics -update. Now it is\n%s", got)
	}
	for _, m := range []string{"\ngo_goroutines ", "\nprocess_resident_memory_bytes ", "\nprocess_start_time_seconds "} {
		if !strings.Contains(all, m) {
			t.Errorf("no %s", m)
		}
	}
}

// Nothing that is not in the closed sets becomes a label.
func TestClosedSets(t *testing.T) {
	r := testRegistry()
	const evil = "secret\"} 1\n"
	ended(r, evil, evil, &verdict.External{Stage: evil, RiskCategory: evil, Action: 200}, true)
	ended(r, evil, evil, nil, false)
	r.Noticed(evil)
	got, all := exposition(t, r)
	if strings.Contains(all, "secret") {
		t.Errorf("%s", got)
	}
	for _, want := range []string{
		`exchanges_total{action="other",api="other"} 1`, `refusals_total{api="other",code="other"} 2`,
		`verdicts_total{action="other",category="other",stage="other"} 1`, `ended_early_total{reason="other"} 1`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// Registries are apart, and none is the library's global one.
func TestRegistriesAreApart(t *testing.T) {
	a, b := testRegistry(), testRegistry()
	before, _ := exposition(t, b)
	ended(a, "chat_completions", "busy", nil, false)
	if after, _ := exposition(t, b); after != before {
		t.Errorf("%s\nwas\n%s", after, before)
	}
}

func TestConcurrentUse(t *testing.T) {
	r := testRegistry()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 100 {
				ended(r, "chat_completions", "busy", nil, false)
				r.Moved(true, 1, 1)
			}
			exposition(t, r)
		})
	}
	wg.Wait()
	got, _ := exposition(t, r)
	lines := strings.Split(got, "\n")
	for _, want := range []string{"exchanges_in_flight 0", `admission_refusals_total{reason="requests"} 2000`, `body_released_bytes_total{direction="response"} 2000`} {
		if !slices.Contains(lines, fmt.Sprintf("%s_%s", namespace, want)) {
			t.Errorf("no %s", want)
		}
	}
}

// What is called for each token allocates nothing.
func TestMovedAllocatesNothing(t *testing.T) {
	r := testRegistry()
	if n := testing.AllocsPerRun(100, func() { r.Moved(true, 10, 10) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
