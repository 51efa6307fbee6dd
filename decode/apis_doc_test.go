package decode

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The table of the documents has the APIs, each with its targets, and no other.
func TestDocumentedAPIs(t *testing.T) {
	doc, err := os.ReadFile("../docs/apis.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, a := range APIs() {
		var targets []string
		for _, target := range a.Targets() {
			targets = append(targets, "`"+a.Method+" "+target+"`")
		}
		want = append(want, "| "+a.Name+" | "+strings.Join(targets, ", ")+" |")
	}
	got := regexp.MustCompile("(?m)^\\| [a-z_]+ \\| `(POST|GET|DELETE) .*?` \\|").FindAllString(string(doc), -1)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("docs/apis.md has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
