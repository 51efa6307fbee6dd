package classify

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/verdict"
)

// corpora are texts of some kinds that hide nothing.
func corpora(t testing.TB) map[string]string {
	code, err := os.ReadFile("rulescanner.go")
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 30<<10)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	return map[string]string{
		"prose":  english,
		"code":   string(code),
		"base64": base64.StdEncoding.EncodeToString(noise),
		"hex":    fmt.Sprintf("%x\n", noise[:8<<10]),
		"words":  "R12 is a 3-way, state-of-the-art 12V unit (see https://example.com/a_b/c-d?e=f%20g) for user2. ",
	}
}

// BenchmarkViews reads texts as they are, and in all views.
func BenchmarkViews(b *testing.B) {
	p, err := NewPatterns(defaultRules(b))
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"prose", "code", "base64", "hex", "words"} {
		text := corpora(b)[name]
		for _, size := range []int{5, 200, 1 << 16} {
			for kind, c := range map[string]Classifier{"plain": p, "views": Views(p)} {
				b.Run(fmt.Sprintf("%s/chunk=%d/%s", name, size, kind), func(b *testing.B) {
					benchmarkChunks(b, c.NewScanner(verdict.PreInferenceGate), strings.Repeat(text, 4), size)
				})
			}
		}
	}
}
