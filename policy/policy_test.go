package policy

import (
	"encoding/hex"
	"errors"
	"flag"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/difflabai/confidential-safety/verdict"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestDefault(t *testing.T) {
	b, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(b.Policy.Categories); n != 5 {
		t.Errorf("%d categories, want 5", n)
	}
	if n := len(b.Files); n != 6 {
		t.Errorf("%d files, want 6", n)
	}
	for _, c := range b.Policy.Categories {
		if c.DisclosureThreshold != nil {
			t.Errorf("%s discloses by default, to nobody", c.Name)
		}
		want := thresholds[c.Name]
		if c.InputThreshold != want[0] || c.OutputThreshold != want[1] {
			t.Errorf("%s: thresholds %v and %v, want %v", c.Name, c.InputThreshold, c.OutputThreshold, want)
		}
	}
	if got := b.Policy.Agent.CapabilityBudget["file_reads"]; got != 50 {
		t.Errorf("file_reads budget %d, want 50", got)
	}
}

// The example has copies of the default's pattern files, since a policy names
// files below it only.
func TestExampleIsTheDefaults(t *testing.T) {
	b, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"patterns/weapons.txt", "patterns/cyber_attack.txt"} {
		want, ok := b.File(name)
		got, err := os.ReadFile("../examples/redaction/" + name)
		if err != nil || !ok || string(got) != string(want) {
			t.Errorf("%s: not the default's, %v", name, err)
		}
	}
}

// The digest is in every quote and verdict: these bytes may only change with
// digestVersion.
func TestDigestGolden(t *testing.T) {
	b, err := LoadFile("testdata/golden/policy.toml")
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/golden/digest.hex"
	if *update {
		if err := os.WriteFile(file, []byte(b.Hash()+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Hash() + "\n"; got != string(want) {
		t.Errorf("digest %swant %s", got, want)
	}
	d := b.Digest()
	if b.Hash() != hex.EncodeToString(d[:]) {
		t.Error("Hash is not Digest in hex")
	}
}

const minimal = `[policy]
version = "1"
policy_id = "p"
[[risk_categories]]
name = "WEAPONS"
action = "BLOCK"
classifiers = [{ type = "pattern_match", pattern_file = "w.txt" }]
`

func load(t *testing.T, files map[string]string) *Bundle {
	t.Helper()
	b, err := Load(mapFS(files), "d/policy.toml")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mapFS(files map[string]string) fs.FS {
	m := fstest.MapFS{}
	for name, data := range files {
		m["d/"+name] = &fstest.MapFile{Data: []byte(data)}
	}
	return m
}

func TestDigestCoversAll(t *testing.T) {
	base := load(t, map[string]string{"policy.toml": minimal, "w.txt": "one\ntwo\n"})
	for name, files := range map[string]map[string]string{
		"policy byte":  {"policy.toml": minimal + "\n", "w.txt": "one\ntwo\n"},
		"pattern byte": {"policy.toml": minimal, "w.txt": "one\ntwp\n"},
		"renamed":      {"policy.toml": strings.ReplaceAll(minimal, "w.txt", "v.txt"), "v.txt": "one\ntwo\n"},
	} {
		if load(t, files).Digest() == base.Digest() {
			t.Errorf("%s: same digest", name)
		}
	}
	moved := &Bundle{Files: []File{{"policy.toml", []byte(minimal)}, {"w.tx", []byte("tone\ntwo\n")}}}
	same := &Bundle{Files: []File{{"policy.toml", []byte(minimal)}, {"w.txt", []byte("one\ntwo\n")}}}
	if moved.Digest() == base.Digest() {
		t.Error("bytes moved between name and data: same digest")
	}
	if same.Digest() != base.Digest() {
		t.Error("same files, another digest")
	}
	unnamed := load(t, map[string]string{"policy.toml": minimal, "w.txt": "one\ntwo\n", "other.txt": "x"})
	if unnamed.Digest() != base.Digest() {
		t.Error("a file that the policy does not name changed the digest")
	}
}

// The whole schema loads, but for placeholder keys.
func TestWholeSchema(t *testing.T) {
	_, err := LoadFile("testdata/schema/placeholder.toml")
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.Msg, "NCMEC") || !strings.Contains(e.Msg, "age1") {
		t.Fatalf("placeholder key: %v", err)
	}
	b, err := LoadFile("testdata/schema/policy.toml")
	if err != nil {
		t.Fatal(err)
	}
	p := b.Policy
	if len(p.Authorities) != 4 || p.Provider.MaxRetries != 3 || len(p.Agent.AttackChains) != 3 {
		t.Errorf("%d authorities, %d retries, %d chains", len(p.Authorities), p.Provider.MaxRetries, len(p.Agent.AttackChains))
	}
	if c := p.Categories[0].Classifiers[1]; c.Type != VerifiedModel || c.Timeout.Milliseconds() != 5000 {
		t.Errorf("verified model: %+v", c)
	}
	if err := p.CheckJurisdiction("US"); err != nil {
		t.Error(err)
	}
	if err := p.CheckJurisdiction("DE"); err == nil {
		t.Error("disclosure thresholds without an authority in DE were accepted")
	}
}

// Each file of testdata/bad starts with a comment that holds the error.
func TestBadPolicies(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.toml")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(data), "\n")
			want := strings.TrimPrefix(first, "# want: ")
			b, err := LoadFile(file)
			if err == nil || b != nil {
				t.Fatalf("loaded, want %q", want)
			}
			if got := strings.TrimPrefix(err.Error(), file+":"); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Error("more than one line")
			}
		})
	}
}

func TestMissingAndBroken(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"policy.toml: file does not exist: ":                            {},
		`policy.toml:7:42: pattern_file "w.txt": file does not exist`:   {"policy.toml": minimal},
		"policy.toml:1:1: not a text file in UTF-8: save it as UTF-8":   {"policy.toml": "\xff"},
		"policy.toml: larger than 1048576 bytes: ":                      {"policy.toml": strings.Repeat("#", maxPolicyFile+1)},
		`policy.toml:7:42: pattern_file "policy.toml" is the policy fi`: {"policy.toml": strings.ReplaceAll(minimal, "w.txt", "policy.toml")},
	} {
		_, err := Load(mapFS(files), "d/policy.toml")
		if err == nil || !strings.HasPrefix(strings.TrimPrefix(err.Error(), "d/"), name) {
			t.Errorf("got %v, want %s", err, name)
		}
	}
}

func TestGate(t *testing.T) {
	p := &Policy{Categories: []Category{
		{Name: "A", InputThreshold: .8, OutputThreshold: .9, Action: verdict.Block},
		{Name: "B", InputThreshold: .5, OutputThreshold: .5, Action: verdict.Redact},
		{Name: "C", InputThreshold: .2, OutputThreshold: .2, Action: verdict.Warn},
		{Name: "D", InputThreshold: .7, OutputThreshold: .8, Action: verdict.Block},
	}}
	const in, out = verdict.PreInferenceGate, verdict.PostInferenceGate
	f := func(c verdict.Category, x float64) verdict.Finding {
		return verdict.Finding{Category: c, Confidence: x}
	}
	for _, tc := range []struct {
		name     string
		stage    verdict.Stage
		findings []verdict.Finding
		action   verdict.Action
		category verdict.Category
	}{
		{"nothing", in, nil, verdict.Allow, verdict.None},
		{"below", in, []verdict.Finding{f("A", .79)}, verdict.Allow, verdict.None},
		{"at the threshold", in, []verdict.Finding{f("A", .8)}, verdict.Block, "A"},
		{"other stage", out, []verdict.Finding{f("A", .8)}, verdict.Allow, verdict.None},
		{"redact on output", out, []verdict.Finding{f("B", .6)}, verdict.Redact, "B"},
		{"redact on input blocks", in, []verdict.Finding{f("B", .6)}, verdict.Block, "B"},
		{"warn", in, []verdict.Finding{f("C", 1)}, verdict.Warn, "C"},
		{"highest of a category", in, []verdict.Finding{f("A", .1), f("A", .9), f("A", .2)}, verdict.Block, "A"},
		{"strongest action", out, []verdict.Finding{f("C", 1), f("B", .5)}, verdict.Redact, "B"},
		{"largest excess", in, []verdict.Finding{f("A", .81), f("D", .9)}, verdict.Block, "D"},
		{"first of equals", out, []verdict.Finding{f("D", .8), f("A", .9)}, verdict.Block, "A"},
		{"sum does not count", in, []verdict.Finding{f("A", .7), f("A", .7)}, verdict.Allow, verdict.None},
		{"unknown category", in, []verdict.Finding{f("X", .1)}, verdict.Block, verdict.Unavailable},
		{"not a number", in, []verdict.Finding{f("C", math.NaN())}, verdict.Block, verdict.Unavailable},
		{"over one", out, []verdict.Finding{f("C", 1.01)}, verdict.Block, verdict.Unavailable},
		{"negative", out, []verdict.Finding{f("C", -.01)}, verdict.Block, verdict.Unavailable},
	} {
		d := p.Gate(tc.stage, tc.findings)
		if d.Action != tc.action || d.Category != tc.category || d.Stage != tc.stage {
			t.Errorf("%s: %v %v, want %v %v", tc.name, d.Action, d.Category, tc.action, tc.category)
		}
	}
	if n := testing.AllocsPerRun(100, func() { p.Gate(in, nil) }); n > 0 {
		t.Errorf("%v allocations without findings", n)
	}
}

// TestOpinions is on what several findings of a category come to: only a pattern
// and a model together may lead to a disclosure.
func TestOpinions(t *testing.T) {
	p := &Policy{Categories: []Category{{Name: "A", InputThreshold: .9, OutputThreshold: 1, Action: verdict.Block}}}
	words := func(x float64) verdict.Finding {
		return verdict.Finding{Category: "A", Confidence: x, ClassifierID: "pattern_match:a.txt"}
	}
	local := func(x float64) verdict.Finding {
		return verdict.Finding{Category: "A", Confidence: x, ClassifierID: "local_model"}
	}
	other := func(x float64) verdict.Finding {
		return verdict.Finding{Category: "A", Confidence: x, ClassifierID: "verified_model"}
	}
	for _, tc := range []struct {
		name       string
		findings   []verdict.Finding
		confidence float64
		by         string
		action     verdict.Action
	}{
		{"words alone", []verdict.Finding{words(.95)}, .95, "pattern_match:a.txt", verdict.Block},
		{"many words", []verdict.Finding{words(.95), words(.95), words(.9)}, .95, "pattern_match:a.txt", verdict.Block},
		{"certain words", []verdict.Finding{words(1)}, .998, "pattern_match:a.txt", verdict.Block},
		{"two models", []verdict.Finding{local(.99), other(.9995)}, .998, "verified_model", verdict.Block},
		{"both are sure", []verdict.Finding{words(.95), local(.99)}, .9995, "pattern_match:a.txt+local_model", verdict.Block},
		{"both doubt", []verdict.Finding{local(.6), words(.5)}, .8, "pattern_match:a.txt+local_model", verdict.Allow},
		{"both say little", []verdict.Finding{words(.7), local(.7)}, .91, "pattern_match:a.txt+local_model", verdict.Block},
	} {
		d := p.Gate(verdict.PreInferenceGate, tc.findings)
		if len(d.Findings) != 1 || math.Abs(d.Findings[0].Confidence-tc.confidence) > 1e-9 || d.Findings[0].ClassifierID != tc.by || d.Action != tc.action {
			t.Errorf("%s: %+v", tc.name, d)
		}
	}
	// What is decided is not what may be disclosed: a threshold of 1 can be met.
	if d := p.Gate(verdict.PostInferenceGate, []verdict.Finding{words(1)}); d.Action != verdict.Block {
		t.Errorf("%+v", d)
	}
}

func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.toml")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, data string) {
		b, err := Load(mapFS(map[string]string{"policy.toml": data, "w.txt": "x"}), "d/policy.toml")
		if err != nil {
			if b != nil {
				t.Fatal("a bundle and an error")
			}
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("error of several lines: %q", err)
			}
			return
		}
		if len(b.Policy.Categories) == 0 {
			t.Fatal("a policy without categories was accepted")
		}
		for _, c := range b.Policy.Categories {
			if !probability(c.InputThreshold) || !probability(c.OutputThreshold) || c.Action == verdict.Allow || len(c.Classifiers) == 0 {
				t.Fatalf("accepted: %+v", c)
			}
		}
	})
}
