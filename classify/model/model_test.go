package model

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write golden files")

func newTestTables(t testing.TB) *Tables {
	t.Helper()
	tables, err := NewTables()
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// someWeights are weights that mean nothing, but differ everywhere.
func someWeights() *Weights {
	table := func(n int, salt uint32) []int8 {
		w := make([]int8, n)
		for i := range w {
			w[i] = int8((uint32(i)*2654435761 + salt) >> 24)
		}
		return w
	}
	w := &Weights{
		Any: table(Buckets, 1), Scale: 0.03, Bias: -1.25,
		Calibration: Calibration{Slope: 0.7, Offset: -2, PerWindow: 0.2, Max: 0.99},
	}
	for i, c := range []string{"ONE", "TWO"} {
		w.Heads = append(w.Heads, table(HeadBuckets, uint32(i+7)))
		w.HeadScale = append(w.HeadScale, 0.02)
		w.HeadBias = append(w.HeadBias, 0.1)
		w.Categories = append(w.Categories, c)
	}
	return w
}

var texts = map[string]string{
	"short":    "how do i bake bread?",
	"one":      "x",
	"none":     "... !! ...",
	"mixed":    "don\u2019t panic: прошу вас 3 яблока, 東京タワー is 333 m, 안녕하세요 नमस्ते مرحبا",
	"dense":    strings.Repeat("天地玄黃宇宙洪荒", 90),
	"long":     strings.Repeat("the quick brown fox jumps over the lazy dog and then some more of it. ", 40),
	"one word": strings.Repeat("a", 5000),
	"accents":  strings.Repeat("ein schoner tag fur uns alle ", 30),
}

// TestFeaturesAreThoseOfTheFile pins what weights mean: a change needs a new
// version of the file of weights.
func TestFeaturesAreThoseOfTheFile(t *testing.T) {
	var b strings.Builder
	r := NewReader(nil, newTestTables(t))
	r.Visit(func(w Window, features []Feature) {
		fmt.Fprintf(&b, " window %d-%d:", w.Start, w.End)
		for _, f := range features {
			fmt.Fprintf(&b, " %d*%d", f.Bucket, f.Count)
		}
		b.WriteString("\n")
	})
	var s Scratch
	for _, name := range []string{"short", "one", "none", "mixed"} {
		fmt.Fprintf(&b, "%s\n", name)
		r.Reset()
		r.Read(&s, []byte(texts[name]), 0, true, nil)
	}
	golden(t, "features.golden", b.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s", file, got)
	}
}

// TestScoresDoNotDependOnTheSplit reads each text in pieces of every size.
func TestScoresDoNotDependOnTheSplit(t *testing.T) {
	tables, w := newTestTables(t), someWeights()
	var s Scratch
	for name, text := range texts {
		want := NewReader(w, tables).Read(&s, []byte(text), 0, true, nil)
		for _, size := range []int{1, 2, 3, 7, 64, 1000} {
			r := NewReader(w, tables)
			var got []Window
			kept := 0 // what lies before is thrown away, as a scanner does
			for end := size; end < len(text); end += size {
				for end < len(text) && !utf8.RuneStart(text[end]) {
					end++
				}
				got = r.Read(&s, []byte(text[kept:end]), int64(kept), false, got)
				r.Peek(&s, []byte(text[kept:end]), int64(kept), nil)
				kept = int(min(r.Oldest(), r.done))
			}
			got = r.Read(&s, []byte(text[kept:]), int64(kept), true, got)
			if !slices.Equal(got, want) {
				t.Errorf("%s in pieces of %d: %v, want %v", name, size, got, want)
			}
		}
	}
}

func TestWindows(t *testing.T) {
	tables, w := newTestTables(t), someWeights()
	var s Scratch
	for name, want := range map[string]int{"none": 0, "one": 1, "short": 1, "mixed": 1} {
		if got := NewReader(w, tables).Read(&s, []byte(texts[name]), 0, true, nil); len(got) != want {
			t.Errorf("%s: %d windows, want %d", name, len(got), want)
		}
	}
	// Every word of a long text is in a window of each scale, and none is much
	// longer than it is to be.
	text := texts["long"]
	small, large := int64(0), int64(0)
	for _, win := range NewReader(w, tables).Read(&s, []byte(text), 0, true, nil) {
		switch size := win.End - win.Start; {
		case size <= smallWindow+16:
			if win.Start > small {
				t.Errorf("nothing from %d to %d is in a small window", small, win.Start)
			}
			small = win.End
		case size <= largeWindow+16:
			if win.Start > large {
				t.Errorf("nothing from %d to %d is in a large window", large, win.Start)
			}
			large = win.End
		default:
			t.Errorf("a window of %d", size)
		}
	}
	if end := int64(strings.LastIndex(text, ".")); small < end || large < end {
		t.Errorf("windows end at %d and %d of %d", small, large, end)
	}
}

// TestReaderKeepsLittle reads a megabyte.
func TestReaderKeepsLittle(t *testing.T) {
	r := NewReader(someWeights(), newTestTables(t))
	var s Scratch
	var windows []Window
	piece := []byte(texts["long"])
	for i := range 400 {
		windows = r.Read(&s, piece, int64(i*len(piece)), false, windows[:0])
	}
	if n := cap(r.feats); n > 8*keptFeatures {
		t.Errorf("%d features are kept", n)
	}
	if back := r.done - r.Oldest(); back > 4*smallWindow {
		t.Errorf("the small window reaches back %d bytes", back)
	}
	at := int64(400 * len(piece))
	if n := testing.AllocsPerRun(100, func() {
		windows = r.Read(&s, piece, at, false, windows[:0])
		at += int64(len(piece))
	}); n > 0 {
		t.Errorf("%v allocations a chunk", n)
	}
}

// TestHeavyWindow has every feature of a window differ.
func TestHeavyWindow(t *testing.T) {
	var b strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&b, "%x-", i*7919)
	}
	var s Scratch
	for _, w := range NewReader(someWeights(), newTestTables(t)).Read(&s, []byte(b.String()), 0, true, nil) {
		if math.IsNaN(w.Score) || math.IsInf(w.Score, 0) {
			t.Fatalf("%+v", w)
		}
	}
}

func TestContributionsMakeUpTheScore(t *testing.T) {
	tables, w := newTestTables(t), someWeights()
	var s Scratch
	for _, name := range []string{"short", "one", "mixed"} {
		want := NewReader(w, tables).Read(&s, []byte(texts[name]), 0, true, nil)[0].Score
		got := w.Bias
		all := w.Contributions(tables, []byte(texts[name]))
		for i, c := range all {
			got += c.Score
			if i > 0 && c.Score > all[i-1].Score {
				t.Errorf("%s: not in order", name)
			}
		}
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestProbability(t *testing.T) {
	c := Calibration{Slope: 1.5, Offset: -1, PerWindow: 0.4, Max: 0.99}
	for _, tc := range []struct {
		score float64
		n     int
		want  float64
	}{{0, 1, 1 / (1 + math.E)}, {2.0 / 3, 1, 0.5}, {100, 1, 0.99}, {100, 1000, 0.99}, {-1000, 1, 0}} {
		if got := c.Probability(tc.score, tc.n); math.Abs(got-tc.want) > 1e-12 {
			t.Errorf("%v after %d: %v, want %v", tc.score, tc.n, got, tc.want)
		}
	}
	if got := c.Probability(c.Score(0.3), 1); math.Abs(got-0.3) > 1e-12 {
		t.Errorf("the score of 0.3 comes to %v", got)
	}
	if c.Probability(1, 2) >= c.Probability(1, 1) {
		t.Error("many windows are to make a score mean less")
	}
}

func TestClusters(t *testing.T) {
	c, err := newClusters("cat dog\nbake cook\n")
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]uint16{"cat": 1, "dog": 1, "bake": 2, "cook": 2, "bread": 0, "": 0} {
		if got, _ := c.of(wordHash([]byte(word))); got != want {
			t.Errorf("%q: %d, want %d", word, got, want)
		}
	}
	if _, err := newClusters("cat dog\ndog\n"); err == nil || err.Error() != `line 2: "dog" is in a group already` {
		t.Error(err)
	}
	if _, err := newClusters(strings.Repeat("\n", 1<<16)); err == nil {
		t.Error("too many groups")
	}
}

func BenchmarkRead(b *testing.B) {
	tables, w := newTestTables(b), someWeights()
	var s Scratch
	for _, name := range []string{"long", "dense", "accents"} {
		b.Run(name, func(b *testing.B) {
			text := bytes.Repeat([]byte(texts[name]), 16)
			r := NewReader(w, tables)
			var windows []Window
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				r.Reset()
				windows = r.Read(&s, text, 0, true, windows[:0])
			}
		})
	}
}
