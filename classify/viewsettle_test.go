package classify

import (
	"context"
	"slices"
	"testing"

	"github.com/difflabai/confidential-safety/verdict"
)

// A part that is settled: what is hidden in it is told, though a view would have
// waited for more, and nothing is told twice if it goes on.
func TestViewsSettle(t *testing.T) {
	c := Views(compile(t, "purple giraffe", "yellow teapot"))
	hidden := base64Of("a purple giraffe")
	for _, tc := range []struct {
		name, before, after string
		at, later           []string
	}{
		{"a run", "see " + hidden, "", []string{hidden}, nil},
		{"a run, and more", "see " + hidden, " and more", []string{hidden}, nil},
		{"half of a run", "see " + hidden[:8], hidden[8:] + " and", nil, []string{hidden}},
		{"half of a phrase", "see purple g1ra", "ffe and", nil, []string{"purple g1raffe"}},
		{"a word", "purple gir", "affe", nil, []string{"purple giraffe"}},
		{"replaced", "purple g1raff3", "", []string{"purple g1raff3"}, nil},
		{"turned", "gur nafjre vf checyr tvenssr", "", []string{"checyr tvenssr"}, nil},
		{"nothing", "a walk in", " the park", nil, nil},
	} {
		ctx := context.Background()
		s := c.NewScanner(verdict.PostInferenceGate)
		text := tc.before + tc.after
		matches, _, err := s.Write(ctx, []byte(tc.before), nil)
		if err != nil {
			t.Fatal(err)
		}
		if matches, err = s.Settle(ctx, matches); err != nil || !slices.Equal(found(text, matches), tc.at) {
			t.Errorf("%s: settled: %q, %v", tc.name, found(text, matches), err)
		}
		matches, cleared, err := s.Write(ctx, []byte(tc.after), nil)
		if err != nil || cleared < int64(len(tc.before)) {
			t.Errorf("%s: cleared %d, %v", tc.name, cleared, err)
		}
		if matches, err = s.Close(ctx, matches); err != nil || !slices.Equal(found(text, matches), tc.later) {
			t.Errorf("%s: closed: %q, %v", tc.name, found(text, matches), err)
		}
	}
}

// Words of a stream do not wait for those that follow, but for runs that go on and
// words that look turned.
func TestViewsLetGo(t *testing.T) {
	c := Views(compile(t, "purple giraffe", "how to make a bomb"))
	for _, tc := range []struct{ text, held string }{
		{"one", ""},
		{"Once upon a time, ", ""},
		{`{"q":"Once upon a time, `, ""},
		{"Well, this is a", ""},
		{"And I ", ""},
		{"这是文字", ""},
		{"Käse und Brot, ", ""},
		{"see purp", "purp"},
		{"see b0", "b0"},
		{"see aGVsbG8g", "aGVsbG8g"},
		{"see b o ", "b o "},
		{"so: znxr n ", "znxr n "},
		{"see &#98;&#1", "&#98;&#1"},
		{"how to make a Ym9t", "how to make a Ym9t"},
	} {
		_, cleared, err := c.NewScanner(verdict.PostInferenceGate).Write(context.Background(), []byte(tc.text), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := tc.text[cleared:]; got != tc.held {
			t.Errorf("%q: held %q, want %q", tc.text, got, tc.held)
		}
	}
}
