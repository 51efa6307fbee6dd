package classify

import (
	"context"
	"hash/fnv"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/classify/model"
	"github.com/difflabai/confidential-safety/verdict"
)

// giraffeWeights take every window with a giraffe for a weapon, and with a
// walrus, too, for cyber attacks.
func giraffeWeights() *model.Weights {
	bucket := func(feature string, bits int) uint64 {
		h := fnv.New64a()
		_, _ = io.WriteString(h, feature)
		return h.Sum64() >> (64 - bits)
	}
	w := &model.Weights{
		Any: make([]int8, model.Buckets), Scale: 1, Bias: -4,
		Heads:     [][]int8{make([]int8, model.HeadBuckets), make([]int8, model.HeadBuckets)},
		HeadScale: []float64{1, 1}, HeadBias: []float64{0.1, 0}, Categories: []string{"WEAPONS", "CYBER_ATTACK"},
		Calibration: model.Calibration{Slope: 1, Max: 0.99},
	}
	w.Any[bucket("ugiraffe", 18)] = 127
	w.Heads[1][bucket("uwalrus", 15)] = 127
	return w
}

func newLocal(t testing.TB, categories ...verdict.Category) *Local {
	t.Helper()
	l, err := NewLocal("local_model", giraffeWeights(), categories, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var both = []verdict.Category{"WEAPONS", "CYBER_ATTACK"}

// matchesOf reads a text in pieces of a size and checks what a scanner promises.
func matchesOf(t *testing.T, l *Local, text string, size int) []Match {
	t.Helper()
	s := l.NewScanner(verdict.PreInferenceGate)
	ctx := context.Background()
	var all []Match
	cleared := int64(0)
	for from := 0; from < len(text); from += size {
		to := min(from+size, len(text))
		found, upTo, err := s.Write(ctx, []byte(text[from:to]), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range found {
			if m.Start < cleared {
				t.Fatalf("%+v starts before %d, which was cleared", m, cleared)
			}
		}
		if upTo < cleared || upTo > int64(to) {
			t.Fatalf("cleared up to %d after %d, of %d", upTo, cleared, to)
		}
		cleared = upTo
		all = append(all, found...)
	}
	found, err := s.Close(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range found {
		if m.Start < cleared || m.End > int64(len(text)) {
			t.Fatalf("%+v starts before %d, which was cleared", m, cleared)
		}
	}
	return append(all, found...)
}

func TestLocalNamesTheCategory(t *testing.T) {
	for text, want := range map[string]verdict.Category{
		"a giraffe":              "WEAPONS",
		"a walrus and a GIRAFFE": "CYBER_ATTACK",
		"a walrus":               "",
	} {
		got := matchesOf(t, newLocal(t, both...), text, len(text))
		switch {
		case want == "" && len(got) > 0, want != "" && (len(got) != 1 || got[0].Category != want || got[0].ClassifierID != "local_model"):
			t.Errorf("%s: %+v", text, got)
		case want != "" && (got[0].Start != 0 && got[0].Start != 2 || got[0].End != int64(len(text)) || got[0].Confidence <= 0.5 || got[0].Confidence > 0.99):
			t.Errorf("%s: %+v", text, got[0])
		}
	}
	// A category that the policy does not give to the model is not its business.
	if got := matchesOf(t, newLocal(t, "WEAPONS"), "a walrus and a giraffe", 5); len(got) > 0 {
		t.Errorf("%+v", got)
	}
	if _, err := NewLocal("local_model", giraffeWeights(), []verdict.Category{"BIOTERROR"}, 0.9); err == nil || !strings.Contains(err.Error(), "does not know the category BIOTERROR: use it in [WEAPONS CYBER_ATTACK]") {
		t.Error(err)
	}
}

// TestLocalHeedsALowThreshold has a text whose confidence is 0.02 at most.
func TestLocalHeedsALowThreshold(t *testing.T) {
	for threshold, want := range map[float64]int{0.9: 0, 0.5: 0, 0.01: 1} {
		l, err := NewLocal("local_model", giraffeWeights(), both, threshold)
		if err != nil {
			t.Fatal(err)
		}
		if got := matchesOf(t, l, "a walrus", 3); len(got) != want {
			t.Errorf("with a threshold of %v: %+v", threshold, got)
		}
	}
}

// TestLocalDoesNotDependOnTheSplit also checks in each what scanners promise.
func TestLocalDoesNotDependOnTheSplit(t *testing.T) {
	l := newLocal(t, both...)
	plain := strings.Repeat("nothing of interest is said for quite a while. ", 40)
	for _, text := range []string{
		plain + "a giraffe " + plain, "giraffe", plain + "gir\u00adaffe", strings.Repeat("e\u0301\u0300 ", 400) + "giraffe " + plain,
		strings.Repeat("木", 700) + "giraffe" + strings.Repeat("木", 300), strings.Repeat(" ", 3000) + "giraffe" + strings.Repeat(" ", 3000),
	} {
		want := matchesOf(t, l, text, len(text))
		if len(want) == 0 {
			t.Errorf("%.40q: nothing", text)
		}
		for _, size := range []int{1, 3, 17, 160, 1000} {
			got := matchesOf(t, l, text, size)
			// Where a window starts before what was cleared, it is cut off.
			same := slices.EqualFunc(got, want, func(a, b Match) bool { return a.Finding == b.Finding && a.End == b.End && a.Start >= b.Start })
			if !same {
				t.Errorf("%.40q in pieces of %d: %+v, want %+v", text, size, got, want)
			}
		}
	}
}

// TestLocalClears holds back a small window, and no more.
func TestLocalClears(t *testing.T) {
	s := newLocal(t, both...).NewScanner(verdict.PostInferenceGate)
	ctx := context.Background()
	words := strings.Repeat("all is well ", 100)
	_, cleared, err := s.Write(ctx, []byte(words), nil)
	if err != nil || int64(len(words))-cleared > 176 || cleared >= int64(len(words)) {
		t.Errorf("%d of %d, %v", cleared, len(words), err)
	}
	if found, err := s.Settle(ctx, nil); err != nil || len(found) > 0 {
		t.Error(found, err)
	}
	if _, cleared, err = s.Write(ctx, []byte("a gir"), nil); err != nil || cleared != int64(len(words)) {
		t.Errorf("after settling: %d of %d, %v", cleared, len(words), err)
	}
	// It goes on as if it had not been settled.
	found, err := s.Settle(ctx, nil)
	if err != nil || len(found) > 0 {
		t.Error(found, err)
	}
	if found, _, err = s.Write(ctx, []byte("affe."), found); err != nil {
		t.Error(err)
	}
	if found, err = s.Settle(ctx, found); err != nil || len(found) == 0 || found[0].End < int64(len(words)) {
		t.Error(found, err)
	}
	if found, err = s.Close(ctx, nil); err != nil || len(found) == 0 {
		t.Error(found, err)
	}
	// Then it is as new.
	if found, cleared, err = s.Write(ctx, []byte("fine "), nil); err != nil || len(found) > 0 || cleared != 0 {
		t.Error(found, cleared, err)
	}
}

func TestLocalHeedsItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := newLocal(t, both...).NewScanner(verdict.PreInferenceGate)
	if _, _, err := s.Write(ctx, []byte("giraffe"), nil); err == nil {
		t.Error("written")
	}
	if _, err := s.Settle(ctx, nil); err == nil {
		t.Error("settled")
	}
	if _, err := s.Close(ctx, nil); err == nil {
		t.Error("closed")
	}
}

func TestLocalSaysWhy(t *testing.T) {
	text := "Is a GIR\u00adAFFE tall?"
	why := newLocal(t, both...).Why(text)
	if len(why) == 0 || text[why[0].Start:why[0].End] != "GIR\u00adAFFE" || why[0].Score <= 0 {
		t.Errorf("%+v", why)
	}
	for _, w := range why[1:] {
		if w.Score > why[0].Score {
			t.Error("not in order")
		}
	}
}

func BenchmarkLocal(b *testing.B) {
	l := newLocal(b, both...)
	text := []byte(strings.Repeat("The quick brown fox jumps over the lazy dog, and nothing else happens today. ", 14)[:1024])
	s := l.NewScanner(verdict.PreInferenceGate)
	ctx := context.Background()
	dst := make([]Match, 0, 16)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, _, err = s.Write(ctx, text, dst[:0]); err != nil {
			b.Fatal(err)
		}
	}
}
