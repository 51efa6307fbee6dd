package lint

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the findings into the fixtures")

const fixtureFile = "testdata/fixtures.txt"

// TestFixtures lints each fixture. Where a fixture's findings are meant to
// change: go test ./envoy/lint -run Fixtures -update.
func TestFixtures(t *testing.T) {
	names, all := fixtures(t, fixtureFile)
	for _, f := range all {
		var got []string
		for _, found := range mustLint(t, f.name, f.config(t, names)).Findings {
			got = append(got, shorten(names, found.String()))
		}
		if !*update && !slices.Equal(got, f.want) {
			t.Errorf("%s: found\n%s\nwant\n%s", f.name, strings.Join(got, "\n"), strings.Join(f.want, "\n"))
		}
		f.want = got
	}
	if *update {
		writeFixtures(t, all)
	}
}

func writeFixtures(t *testing.T, all []*fixture) {
	t.Helper()
	text, err := os.ReadFile(fixtureFile)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	at := -1
	flush := func() {
		if at >= 0 {
			for _, line := range all[at].want {
				out.WriteString("> " + line + "\n")
			}
		}
		at = -1
	}
	next := 0
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.HasPrefix(line, "> "):
			continue
		case line == "\n":
			flush()
		case strings.HasPrefix(line, "# "):
			at = next
			next++
		}
		out.WriteString(line)
	}
	flush()
	if err := os.WriteFile(fixtureFile, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// rules returns the closed set, as it is written.
func rules(t testing.TB) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "rules.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, text)
		}
		return true
	})
	if len(all) < 60 {
		t.Fatalf("%d rules", len(all))
	}
	return all
}

// TestEveryRuleHasAFixture holds the closed set and the fixtures together.
func TestEveryRuleHasAFixture(t *testing.T) {
	found := map[string]bool{}
	_, all := fixtures(t, fixtureFile)
	for _, f := range all {
		for _, line := range f.want {
			_, rest, _ := strings.Cut(line, ": ")
			rule, _, _ := strings.Cut(rest, ": ")
			found[rule] = true
		}
	}
	for _, rule := range rules(t) {
		if !found[rule] {
			t.Errorf("no fixture has a finding of %s", rule)
		}
		delete(found, rule)
	}
	for rule := range found {
		t.Errorf("%s is no rule", rule)
	}
}

func TestOurOwnBootstrapPasses(t *testing.T) {
	for _, name := range []string{"bootstrap.json", "bootstrap_tls.json"} {
		text, err := os.ReadFile(filepath.Join("../testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Lint(name, text, inspected())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Findings {
			t.Errorf("%s: %s", name, f)
		}
		if r.Listeners != 1 || r.Clusters != 3 || !slices.Equal(r.ExtProcSockets, []string{"/run/safety/x.extproc"}) ||
			!slices.Equal(r.SDSSockets, []string{"/run/safety/x.sds"}) || len(r.SHA256) != 64 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
