package decode

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

var kindNames = map[Kind]string{
	Other: "other", Content: "content", Reasoning: "reasoning", ReasoningContent: "reasoning_content",
	Refusal: "refusal", Name: "name", ToolName: "tool_name", ToolArguments: "tool_arguments",
	CustomToolName: "custom_name", CustomToolInput: "custom_input", ToolDescription: "tool_description",
	Instructions: "instructions", Prompt: "prompt", Suffix: "suffix",
	Prediction: "prediction", Logprobs: "logprobs", Unknown: "unknown", Aside: "aside",
}

// knownPaths gives the paths that the tests use their names back.
var knownPaths = sync.OnceValue(func() map[uint64]string {
	m := map[uint64]string{}
	for _, p := range []string{
		"text", "delta", "delta.thinking", "delta.content", "delta.content.words", "delta.role.words", "message.content",
		"delta.reasoning_details.text", "delta.reasoning_details#0.text", "delta.reasoning_details#1.text",
		"delta.reasoning_details.summary", "delta.a.b", "delta.tool_calls.note", "delta.tool_calls", "logprobs",
		"delta.a#1.b", "delta.a#1.b#2.c", "delta.reasoning", "token_ids",
	} {
		m[pathOf(p)] = p
	}
	for _, typ := range []string{"new", "other"} {
		m[pathBelow(pathBelow(pathTop, []byte("response."+typ+".delta")), []byte("delta"))] = typ + ".delta"
	}
	return m
})

// pathOf is the path of names with dots between them; #n behind a name is the
// number that an item of the array there gives itself. Numbers count last,
// innermost first.
func pathOf(s string) uint64 {
	path := pathStart
	var numbers []int32
	for _, name := range strings.Split(s, ".") {
		name, number, ok := strings.Cut(name, "#")
		if ok {
			numbers = append(numbers, int32(number[0]-'0'))
		}
		path = pathBelow(path, []byte(name))
	}
	slices.Reverse(numbers)
	for _, n := range numbers {
		path = pathNumbered(path, n)
	}
	return path
}

// describe writes a piece as one line: its kind, coordinates and text, with a
// "/" before text that starts a new line and a "~" before a glued reading.
func describe(p *Piece) string {
	var b strings.Builder
	if p.Place.Glued {
		b.WriteByte('~')
	}
	if p.Complete {
		b.WriteByte('!')
	}
	b.WriteString(kindNames[p.Place.Kind])
	switch {
	case p.Place.Kind == Other:
	case p.Place.B >= 0 && p.Place.A >= 0:
		fmt.Fprintf(&b, " %d.%d", p.Place.A, p.Place.B)
	case p.Place.B >= 0:
		fmt.Fprintf(&b, " .%d", p.Place.B)
	case p.Place.A >= 0:
		fmt.Fprintf(&b, " %d", p.Place.A)
	}
	if p.Place.Path != 0 && p.Place.Kind != Aside {
		name, ok := knownPaths()[p.Place.Path]
		if !ok {
			name = fmt.Sprintf("path %x", p.Place.Path)
		}
		b.WriteString(" " + name)
	}
	b.WriteByte(' ')
	if p.NewLine {
		b.WriteByte('/')
	}
	b.Write(p.Text)
	return b.String()
}

func describeAll(evs []*Event) []string {
	var out []string
	for _, ev := range evs {
		for i := range ev.Pieces {
			// The second readings of what no description names, and of all texts
			// of an answer, are left out.
			if p := &ev.Pieces[i]; (p.Place.Kind != Other || !p.Place.Glued) && p.Place.Path != pathWhole {
				out = append(out, describe(p))
			}
		}
	}
	return out
}

// readAll feeds the parts of a body and ends it.
func readAll(r Reader, parts ...[]byte) (evs []*Event, err error) {
	for _, p := range parts {
		if evs, err = r.Feed(p, evs); err != nil {
			return evs, err
		}
	}
	return r.End(evs)
}

// allAPIs are made once: tests have thousands of readers.
var allAPIs = sync.OnceValue(APIs)

func chat(t testing.TB) *API {
	t.Helper()
	a, ok := Lookup(allAPIs(), "POST", "/v1/chat/completions")
	if !ok {
		t.Fatal("chat completions are not among the APIs")
	}
	return a
}

func mustRead(t testing.TB, r Reader, body string) []*Event {
	t.Helper()
	evs, err := readAll(r, []byte(body))
	if err != nil {
		t.Fatalf("reading %s: %v", body, err)
	}
	return evs
}

// wantLines compares descriptions of pieces. Lines of kind other are left out
// of both unless want has some.
func wantLines(t *testing.T, got, want []string) {
	t.Helper()
	isOther := func(s string) bool { return strings.HasPrefix(s, "other ") }
	if !slices.ContainsFunc(want, isOther) {
		got = slices.DeleteFunc(slices.Clone(got), isOther)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func wantFault(t *testing.T, err error, f Fault, offset int) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want %s", err, f)
	}
	if e.Fault != f || (offset >= 0 && e.Offset != offset) {
		t.Errorf("got %s at %d, want %s at %d", e.Fault, e.Offset, f, offset)
	}
}
