package measure

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

var update = flag.Bool("update", false, "write the golden files")

// testPolicy blocks one category, redacts another and warns of a third. Two are
// disclosed.
func testPolicy() *policy.Policy {
	sure, half := 0.99, 0.5
	return &policy.Policy{Version: "7", Categories: []policy.Category{
		{Name: verdict.CBRN, InputThreshold: 0.8, OutputThreshold: 0.9, Action: verdict.Block, DisclosureThreshold: &sure},
		{Name: verdict.Weapons, InputThreshold: 0.9, OutputThreshold: 0.7, Action: verdict.Block},
		{Name: "CODENAME", InputThreshold: 0.5, OutputThreshold: 0.5, Action: verdict.Redact},
		{Name: verdict.CSAM, InputThreshold: 0.5, OutputThreshold: 0.5, Action: verdict.Warn, DisclosureThreshold: &half},
	}}
}

// kind is some rows that are alike.
type kind struct {
	n          int
	label      Label
	findings   []verdict.Finding
	wantAction verdict.Action
}

func rows() []kind {
	const in, out = verdict.PreInferenceGate, verdict.PostInferenceGate
	found := func(c verdict.Category, confidence float64) []verdict.Finding {
		return []verdict.Finding{{Category: c, Confidence: confidence, ClassifierID: "x"}}
	}
	// What is as sure as this, a pattern and a model have to find.
	agreed := func(c verdict.Category, confidence float64) []verdict.Finding {
		return append(found(c, 0), verdict.Finding{Category: c, Confidence: confidence, ClassifierID: "pattern_match:x.txt"})
	}
	return []kind{
		// Found, at the threshold and above; missed, below it and altogether.
		{8, Label{"1", verdict.CBRN, in, "alpha", "en", 160}, found(verdict.CBRN, 0.8), verdict.Block},
		{1, Label{"2", verdict.CBRN, in, "alpha", "en", 161}, found(verdict.CBRN, 0.79), verdict.Allow},
		{1, Label{"3", verdict.CBRN, out, "beta", "de", 1024}, nil, verdict.Allow},
		// Disclosed, and rightly.
		{2, Label{"4", verdict.CBRN, out, "beta", "de", 1025}, found(verdict.CBRN, 0.99), verdict.Block},
		// Stopped for another category.
		{3, Label{"5", verdict.Weapons, out, "beta", "de", 8192}, found(verdict.CBRN, 0.9), verdict.Block},
		// Sure enough for a disclosure, if the policy wanted one.
		{1, Label{"5", verdict.Weapons, out, "beta", "de", 20}, agreed(verdict.Weapons, 0.9995), verdict.Block},
		// Stopped in words only, or not at all.
		{4, Label{"6", "CODENAME", out, "beta", "en", 8193}, found("CODENAME", 0.6), verdict.Redact},
		{4, Label{"6", "CODENAME", in, "beta", "en", 8193}, found("CODENAME", 0.6), verdict.Block},
		{5, Label{"7", verdict.CSAM, in, "beta", "und", 0}, found(verdict.CSAM, 0.5), verdict.Warn},
		// Benign ones.
		{990, Label{"8", Benign, in, "数据", "zh", 20}, nil, verdict.Allow},
		{6, Label{"9", Benign, in, "数据", "zh", 20}, found(verdict.CBRN, 0.7), verdict.Allow},
		{3, Label{"9", Benign, in, "数据", "zh", 20}, found(verdict.Weapons, 0.95), verdict.Block},
		{1, Label{"9", Benign, out, "a-source-with-a-long-name-of-its-own", "zh", 9000}, found(verdict.CSAM, 0.6), verdict.Warn},
		// Of harm that the policy does not name.
		{4, Label{"10", OtherHarm, in, "alpha", "en", 20}, nil, verdict.Allow},
		{1, Label{"10", OtherHarm, in, "alpha", "en", 20}, agreed(verdict.CBRN, 1), verdict.Block},
		{2, Label{"11", UnlabelledHarm, in, "alpha", "en", 20}, nil, verdict.Allow},
		{1, Label{"11", verdict.Bioterror, in, "alpha", "en", 20}, nil, verdict.Allow},
	}
}

func tally(t *testing.T, p *policy.Policy, all []kind) *Tally {
	t.Helper()
	tally := NewTally(p)
	for _, r := range all {
		d := p.Gate(r.label.Stage, r.findings)
		if d.Action != r.wantAction {
			t.Fatalf("row %s: %s, want %s", r.label.ID, d.Action, r.wantAction)
		}
		for range r.n {
			if _, err := tally.Add(&r.label, &d); err != nil {
				t.Fatal(err)
			}
		}
	}
	return tally
}

func TestReportGolden(t *testing.T) {
	r := tally(t, testPolicy(), rows()).Report("0123abcd", 2)
	var text, asJSON bytes.Buffer
	if err := r.Print(&text); err != nil {
		t.Fatal(err)
	}
	e := json.NewEncoder(&asJSON)
	e.SetIndent("", " ")
	if err := e.Encode(r); err != nil {
		t.Fatal(err)
	}
	for file, got := range map[string][]byte{"testdata/report.txt": text.Bytes(), "testdata/report.json": asJSON.Bytes()} {
		if *update {
			if err := os.WriteFile(file, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs; if that is meant: go test ./measure -update. Now it is\n%s", file, got)
		}
	}
}

// What the groups of a table count adds up to its total.
func TestGroupsAddUp(t *testing.T) {
	r := tally(t, testPolicy(), rows()).Report("", 1)
	for name, table := range map[string]*Table{"positive": &r.Positive, "benign": &r.Benign, "out of scope": &r.OutOfScope} {
		for by, groups := range map[string][]Group{"source": table.BySource, "category": table.ByCategory, "language": table.ByLanguage, "length": table.ByLength} {
			n, hits, others := 0, 0, 0
			for _, g := range groups {
				n, hits, others = n+g.N, hits+g.Hits, others+g.Redacted+g.Warned
			}
			if name == "benign" && by == "category" {
				n /= len(groups) // each could have been named of each row
			}
			if total := &table.Total; n != total.N || hits != total.Hits || others != total.Redacted+total.Warned {
				t.Errorf("%s by %s: %d, %d and %d, in all %+v", name, by, n, hits, others, total)
			}
		}
	}
}

// Without rows there are no rates, and no NaN, which JSON does not have.
func TestNothingCounted(t *testing.T) {
	r := NewTally(testPolicy()).Report("", 1)
	text, err := json.Marshal(r)
	if err != nil || strings.Contains(string(text), `_source":null`) || !strings.Contains(string(text), `"total","n":0,"hits":0,"rate":null,`) {
		t.Errorf("%v: %s", err, text)
	}
	if err := r.Print(&bytes.Buffer{}); err != nil {
		t.Error(err)
	}
}

func TestClasses(t *testing.T) {
	for c, want := range map[verdict.Category]Class{
		verdict.CBRN: Positive, "CODENAME": Positive, Benign: Negative,
		OtherHarm: OutOfScope, UnlabelledHarm: OutOfScope, verdict.Bioterror: OutOfScope,
	} {
		l := Label{Category: c, Stage: verdict.PreInferenceGate}
		if got, err := NewTally(testPolicy()).Add(&l, &verdict.Decision{Category: verdict.None}); err != nil || got != want {
			t.Errorf("%s: %v, %v", c, got, err)
		}
	}
}

func TestAddRefuses(t *testing.T) {
	l := Label{Category: "CBRM", Stage: verdict.PreInferenceGate}
	if _, err := NewTally(testPolicy()).Add(&l, &verdict.Decision{}); err == nil || !strings.Contains(err.Error(), "category CBRM is neither of the policy nor one of [BENIGN OTHER_HARM ") {
		t.Errorf("%v", err)
	}
	// A block for a failure finds no risk.
	p := testPolicy()
	l.Category = verdict.CBRN
	d := p.Gate(l.Stage, []verdict.Finding{{Category: "NOSUCH"}})
	if _, err := NewTally(p).Add(&l, &d); err == nil || !strings.Contains(err.Error(), "cannot judge") {
		t.Errorf("%v", err)
	}
	// What is remembered does not grow with the rows.
	tally := NewTally(p)
	for i := range maxGroups + 1 {
		l.Source = fmt.Sprint("source-", i)
		_, err := tally.Add(&l, &verdict.Decision{})
		if (err != nil) != (i == maxGroups) {
			t.Fatalf("source %d: %v", i, err)
		}
	}
}
