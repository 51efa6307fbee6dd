package lint

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestDocsListTheRules holds the table in the documents and the closed set
// together.
func TestDocsListTheRules(t *testing.T) {
	text, err := os.ReadFile("../../docs/envoy.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\| .+ \\|$").FindAllSubmatch(text, -1) {
		listed = append(listed, string(row[1]))
	}
	if all := rules(t); !slices.Equal(listed, all) {
		t.Errorf("docs/envoy.md lists\n%q\nand rules.go\n%q", listed, all)
	}
}
