package inspect

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/difflabai/confidential-safety/classify"
	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

// fake is a classifier of one scanner that answers by a script. n counts the
// text so far.
type fake struct {
	write func(n int64) ([]classify.Match, int64, error)
	close func(n int64) ([]classify.Match, error)
	// settle is asked if its text is not cleared and its choice goes on
	// elsewhere; without it that must not happen.
	settle func(n int64) ([]classify.Match, error)
	n      int64
}

func (f fake) NewScanner(verdict.Stage) classify.Scanner { return &f }

func (f *fake) Write(_ context.Context, text []byte, dst []classify.Match) ([]classify.Match, int64, error) {
	f.n += int64(len(text))
	if f.write == nil {
		return dst, f.n, nil
	}
	m, cleared, err := f.write(f.n)
	return append(dst, m...), cleared, err
}

func (f *fake) Settle(_ context.Context, dst []classify.Match) ([]classify.Match, error) {
	if f.settle == nil {
		return nil, errors.New("settled unexpectedly")
	}
	m, err := f.settle(f.n)
	return append(dst, m...), err
}

func (f *fake) Close(_ context.Context, dst []classify.Match) ([]classify.Match, error) {
	n := f.n
	f.n = 0
	if f.close == nil {
		return dst, nil
	}
	m, err := f.close(n)
	return append(dst, m...), err
}

func match(start, end int64, c verdict.Category, confidence float64) classify.Match {
	return classify.Match{Finding: verdict.Finding{Category: c, Confidence: confidence, ClassifierID: "fake"}, Start: start, End: end}
}

// finds answers every write with the same matches and clears nothing.
func finds(m ...classify.Match) fake {
	return fake{write: func(int64) ([]classify.Match, int64, error) { return m, 0, nil }}
}

// A classifier that fails or breaks its word lets nothing out, in any direction.
func TestBrokenClassifier(t *testing.T) {
	boom := errors.New("tell of codename nightjar")
	late := func(m classify.Match) fake {
		return fake{close: func(int64) ([]classify.Match, error) { return []classify.Match{m}, nil }}
	}
	for name, c := range map[string]fake{
		"error in write":   {write: func(int64) ([]classify.Match, int64, error) { return nil, 0, boom }},
		"error in close":   {write: func(int64) ([]classify.Match, int64, error) { return nil, 0, nil }, close: func(int64) ([]classify.Match, error) { return nil, boom }},
		"clears beyond":    {write: func(n int64) ([]classify.Match, int64, error) { return nil, n + 1, nil }},
		"clears below 0":   {write: func(int64) ([]classify.Match, int64, error) { return nil, -1, nil }},
		"before cleared":   late(match(0, 1, verdict.CyberAttack, .99)),
		"beyond the text":  finds(match(0, 1<<40, verdict.CyberAttack, .99)),
		"below 0":          finds(match(-1, 1, verdict.CyberAttack, .99)),
		"backwards":        finds(match(1, 0, verdict.CyberAttack, .99)),
		"of no length":     finds(match(1, 1, verdict.Bioterror, .99)),
		"no number":        finds(match(0, 1, verdict.CyberAttack, math.NaN())),
		"over 1":           finds(match(0, 1, verdict.CyberAttack, 1.5)),
		"negative":         finds(match(0, 1, verdict.CyberAttack, -.5)),
		"infinite":         finds(match(0, 1, verdict.CyberAttack, math.Inf(1))),
		"no category":      finds(match(0, 1, "", .99)),
		"unknown category": finds(match(0, 1, "GARDENING", .1)),
		"hidden behind":    finds(match(0, 1, verdict.CyberAttack, math.NaN()), match(0, 1, verdict.CyberAttack, .1)),
		"hidden before":    finds(match(0, 1, verdict.CyberAttack, .1), match(0, 1, verdict.CyberAttack, -1)),
	} {
		t.Run(name, func(t *testing.T) {
			in := New(loadPolicy(t, policy.Window), c, DefaultLimits())
			a := chat(t)
			for kind, o := range map[string]outcome{
				"request":  drive(t, in.Request(a), ask(`"hello"`)),
				"response": drive(t, in.Response(a), `{"choices":[{"message":{"content":"hello"}}]}`),
				"stream":   drive(t, in.Stream(a), sse(delta("0", "hello"), done)),
			} {
				// Bytes may be out before the end shows that clearing them was wrong.
				if name == "before cleared" && kind == "stream" {
					o.out = ""
				}
				if o != (outcome{fault: Classifier}) {
					t.Errorf("%s: %+v", kind, o)
				}
			}
		})
	}
}

// Clearing less than before is broken too, even by a byte.
func TestClearedFalls(t *testing.T) {
	in := New(loadPolicy(t, policy.Window), fake{write: func(n int64) ([]classify.Match, int64, error) {
		if n > 3 {
			return nil, 2, nil
		}
		return nil, n, nil
	}}, DefaultLimits())
	d := in.Stream(chat(t))
	if o := drive(t, d, `data: {"choices":[{"delta":{"content":"abc"}}]}`+"\n\n", `data: {"choices":[{"delta":{"content":"d"}}]}`+"\n\n"); o.fault != Classifier {
		t.Errorf("%+v", o)
	}
}

// An error of a direction names a fault and nothing else, whatever the cause said.
func TestErrorHasNoContent(t *testing.T) {
	in := New(loadPolicy(t, policy.Window), fake{write: func(int64) ([]classify.Match, int64, error) {
		return nil, 0, errors.New("codename nightjar")
	}}, DefaultLimits())
	_, err := in.Stream(chat(t)).Write(t.Context(), []byte(sse(delta("0", "hi"))))
	if err == nil || err.Error() != "not inspected: classifier" || errors.Unwrap(err) != nil {
		t.Errorf("%v", err)
	}
	if _, _, err := in.Text(t.Context(), verdict.PreInferenceGate, []byte("hi")); err == nil || err.Error() != "not inspected: classifier" {
		t.Errorf("Text: %v", err)
	}
}

// A panic is the caller's to recover; the direction is then of no more use
// than its last step was.
func TestPanicPropagates(t *testing.T) {
	in := New(loadPolicy(t, policy.Window), fake{write: func(int64) ([]classify.Match, int64, error) { panic("x") }}, DefaultLimits())
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	drive(t, in.Request(chat(t)), ask(`"hi"`))
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s, err := newDirection(t, (*Inspector).Stream).Write(ctx, []byte(sse(delta("0", "hi"))))
	var e *Error
	if !errors.As(err, &e) || e.Fault != Classifier || len(s.Release) > 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

// Two classifiers that find in no order: each match is cut by itself, however
// the stream was split.
func TestUnorderedMatches(t *testing.T) {
	at := func(start, end int64) fake {
		return fake{close: func(n int64) ([]classify.Match, error) {
			if n < 12 {
				return nil, nil // not the text in question
			}
			return []classify.Match{match(start, end, verdict.Bioterror, .99)}, nil
		}, write: func(int64) ([]classify.Match, int64, error) { return nil, 0, nil }}
	}
	whole := func(text string) string { return `{"choices":[{"message":{"content":"` + text + `"}}]}` }
	for name, c := range map[string]struct {
		members []classify.Classifier
		want    string
	}{
		"later first": {[]classify.Classifier{at(8, 10), at(1, 3)}, "0[REDACTED]34567[REDACTED]ab"},
		"overlap":     {[]classify.Classifier{at(5, 10), at(1, 6)}, "0[REDACTED]ab"},
		"over two":    {[]classify.Classifier{at(8, 10), at(1, 3), at(2, 9)}, "0[REDACTED]ab"},
		"touching":    {[]classify.Classifier{at(3, 5), at(1, 3)}, "0[REDACTED][REDACTED]56789ab"},
		"inside":      {[]classify.Classifier{at(1, 9), at(3, 5)}, "0[REDACTED]9ab"},
	} {
		in := New(loadPolicy(t, policy.Window), classify.Ensemble(c.members...), DefaultLimits())
		if o := drive(t, in.Response(chat(t)), whole("0123456789ab")); o.out != whole(c.want) {
			t.Errorf("%s: %q, want %q", name, o.out, whole(c.want))
		}
	}
}

// A cut that starts with the line break between two texts leaves its mark in
// the second.
func TestCutFromLineBreak(t *testing.T) {
	c := fake{write: func(int64) ([]classify.Match, int64, error) { return nil, 0, nil }, close: func(n int64) ([]classify.Match, error) {
		if n != int64(len("one\ntwo!")) {
			return nil, nil
		}
		return []classify.Match{match(3, 7, verdict.Bioterror, .99)}, nil
	}}
	text := func(second string) string {
		return `{"choices":[{"message":{"content":[{"type":"text","text":"one"},{"type":"text","text":"` + second + `"}]}}]}`
	}
	in := New(loadPolicy(t, policy.Window), c, DefaultLimits())
	if o := drive(t, in.Response(chat(t)), text("two!")); o.out != text("[REDACTED]!") {
		t.Errorf("%q", o.out)
	}
}

// The gate hears of the highest confidence in a category, and never of less.
func TestDecisionNeverFalls(t *testing.T) {
	confidence := []float64{.95, .1, .5}
	i := 0
	in := New(loadPolicy(t, policy.Window), fake{write: func(n int64) ([]classify.Match, int64, error) {
		i++
		return []classify.Match{match(n-1, n, verdict.CyberAttack, confidence[i%3])}, n - 1, nil
	}}, DefaultLimits())
	a := *chat(t)
	d := in.Stream(&a)
	last := verdict.Allow
	for range 9 {
		if _, err := d.Write(t.Context(), []byte(`data: {"choices":[{"delta":{"content":"a"}}]}`+"\n\n")); err != nil {
			t.Fatal(err)
		}
		if now := d.Decision().Action; now < last {
			t.Fatalf("%v after %v", now, last)
		} else {
			last = now
		}
	}
	if last != verdict.Warn {
		t.Errorf("%v", last)
	}
}
