package extproc

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// Every refusal that stands in the source is in the list, once.
func TestCodes(t *testing.T) {
	n := 0
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if lit, ok := node.(*ast.CompositeLit); ok {
				if name, ok := lit.Type.(*ast.Ident); ok && name.Name == "refusal" {
					n++
				}
			}
			return true
		})
	}
	codes := Codes()
	if slices.Sort(codes); len(codes) != n || len(slices.Compact(codes)) != n {
		t.Errorf("%d refusals in the source, %d in the list: %q", n, len(codes), codes)
	}
}
