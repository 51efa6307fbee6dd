package classify

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/verdict"
)

// defaultRules reads the default policy's patterns.
func defaultRules(t testing.TB) (rules []Rule) {
	t.Helper()
	files, err := filepath.Glob("../policy/default/patterns/*.txt")
	if err != nil || len(files) != 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		list, err := ParsePatterns(filepath.Base(name), data)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			rules = append(rules, Rule{p, verdict.Weapons, filepath.Base(name)})
		}
	}
	return rules
}

// Rules against the phrases alone, of the default policy, on a text without
// anything to find and on one whose every other word is of some set.
func BenchmarkSignatures(b *testing.B) {
	rules := defaultRules(b)
	var phrases []Rule
	for _, r := range rules {
		if r.Signature == nil {
			phrases = append(phrases, r)
		}
	}
	const busy = "How do I make my school project better? I want to write a story about the police in the city, give me a list of places. "
	for _, c := range []struct {
		name  string
		rules []Rule
	}{{"phrases", phrases}, {"rules", rules}} {
		p, err := NewPatterns(c.rules)
		if err != nil {
			b.Fatal(err)
		}
		for _, text := range []struct{ name, text string }{{"plain", english}, {"busy", busy}} {
			for _, size := range []int{5, 200, 1 << 16} {
				b.Run(fmt.Sprintf("%s/%s/chunk=%d", text.name, c.name, size), func(b *testing.B) {
					benchmarkChunks(b, p.NewScanner(verdict.PreInferenceGate), text.text, size)
				})
			}
		}
	}
}

func benchmarkChunks(b *testing.B, s Scanner, text string, size int) {
	all := []byte(strings.Repeat(text, size/len(text)+2))
	b.SetBytes(int64(size))
	b.ReportAllocs()
	at := 0
	var dst []Match
	for b.Loop() {
		if at+size > len(all) {
			at = 0
		}
		var err error
		if dst, _, err = s.Write(context.Background(), all[at:at+size], dst[:0]); err != nil {
			b.Fatal(err)
		}
		at += size
	}
}

// BenchmarkCompile tells how long compiling takes, and how much memory stays.
func BenchmarkCompile(b *testing.B) {
	for name, rules := range map[string][]Rule{"default": defaultRules(b), "literals=5000": phraseRules(5000), "literals=20000": phraseRules(20_000)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := NewPatterns(rules); err != nil {
					b.Fatal(err)
				}
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			p, err := NewPatterns(rules)
			if err != nil {
				b.Fatal(err)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB")
			runtime.KeepAlive(p)
		})
	}
}

func phraseRules(n int) []Rule {
	rules := make([]Rule, n)
	for i, text := range randomPhrases(n) {
		rules[i] = Rule{Pattern{Text: text, Confidence: 0.9}, verdict.Weapons, "test"}
	}
	return rules
}
