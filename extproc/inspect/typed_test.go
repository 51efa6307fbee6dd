package inspect

import (
	"context"
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

func typedAPI(t testing.TB, name string) *decode.API {
	t.Helper()
	for _, a := range apis() {
		if a.Name == name {
			return a
		}
	}
	t.Fatalf("no API %s", name)
	return nil
}

// typed makes a stream of events that name their types; each is a type and the
// other members.
func typed(events ...[2]string) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString("event: " + e[0] + "\ndata: {\"type\":\"" + e[0] + `"` + e[1] + "}\n\n")
	}
	return b.String()
}

// answered is a response's stream whose text comes in a part, in deltas and in
// the events that say it again.
func answered(begin string, deltas []string, text string) string {
	const at = `,"output_index":0,"content_index":0`
	part := func(s string) string { return `{"type":"output_text","text":"` + s + `"}` }
	item := func(s string) string { return `{"type":"message","id":"m","content":[` + part(s) + `]}` }
	events := [][2]string{
		{"response.created", `,"response":{"id":"r","output":[]}`},
		{"response.output_item.added", `,"output_index":0,"item":{"type":"message","id":"m","content":[]}`},
		{"response.content_part.added", at + `,"part":` + part(begin)},
	}
	for _, d := range deltas {
		events = append(events, [2]string{"response.output_text.delta", at + `,"delta":"` + d + `"`})
	}
	return typed(append(events, [][2]string{
		{"response.output_text.done", at + `,"text":"` + text + `"`},
		{"response.content_part.done", at + `,"part":` + part(text)},
		{"response.output_item.done", `,"output_index":0,"item":` + item(text)},
		{"response.completed", `,"response":{"id":"r","output":[` + item(text) + `]}`},
	}...)...)
}

// arguments is a response's stream of a tool call.
func arguments(deltas []string, text string) string {
	item := func(s string) string { return `{"type":"function_call","id":"i","name":"f","arguments":"` + s + `"}` }
	events := [][2]string{{"response.output_item.added", `,"output_index":0,"item":` + item("")}}
	for _, d := range deltas {
		events = append(events, [2]string{"response.function_call_arguments.delta", `,"output_index":0,"delta":"` + d + `"`})
	}
	return typed(append(events, [][2]string{
		{"response.function_call_arguments.done", `,"output_index":0,"arguments":"` + text + `"`},
		{"response.output_item.done", `,"output_index":0,"item":` + item(text)},
		{"response.completed", `,"response":{"id":"r","output":[` + item(text) + `]}`},
	}...)...)
}

// blockOf is a block of a message's stream.
func blockOf(index, begin string, deltas ...string) [][2]string {
	events := [][2]string{{"content_block_start", `,"index":` + index + `,"content_block":{"type":"text","text":"` + begin + `"}`}}
	for _, d := range deltas {
		events = append(events, [2]string{"content_block_delta", `,"index":` + index + `,"delta":{"type":"text_delta","text":"` + d + `"}`})
	}
	return append(events, [2]string{"content_block_stop", `,"index":` + index})
}

var messageEnd = [][2]string{
	{"message_delta", `,"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":1}`},
	{"message_stop", ""},
}

// What streams of typed events become, however their bytes arrive. What says the
// text again says it as the deltas do.
func TestTypedStreams(t *testing.T) {
	for name, tc := range map[string]struct{ api, in, want string }{
		"clean": {"responses",
			answered("", []string{"a", " b"}, "a b"),
			answered("", []string{"a", " b"}, "a b")},
		"over deltas": {"responses",
			answered("", []string{"a proj", "ect he", "ron b"}, "a project heron b"),
			answered("", []string{"a [REDACTED]", "", " b"}, "a [REDACTED] b")},
		"from a part's beginning": {"responses",
			answered("a project", []string{" heron", " b"}, "a project heron b"),
			answered("a [REDACTED]", []string{"", " b"}, "a [REDACTED] b")},
		"at the end of an item": {"responses",
			answered("", []string{"a project", " heron"}, "a project heron"),
			answered("", []string{"a [REDACTED]", ""}, "a [REDACTED]")},
		"only in the repetition": {"responses",
			answered("", []string{"a"}, "project heron"),
			answered("", []string{"a"}, "[REDACTED]")},
		"tool arguments": {"responses",
			arguments([]string{`{\"q\":\"project`, ` heron\"}`}, `{\"q\":\"project heron\"}`),
			arguments([]string{`{\"q\":\"[REDACTED]`, `\"}`}, `{\"q\":\"[REDACTED]\"}`)},
		"from a block's beginning": {"messages",
			typed(append(blockOf("0", "a project", " her", "on b"), messageEnd...)...),
			typed(append(blockOf("0", "a [REDACTED]", "", " b"), messageEnd...)...)},
		"over two blocks": {"messages",
			typed(append(append(blockOf("0", "", "project"), blockOf("1", "", " heron")...), messageEnd...)...),
			typed(append(append(blockOf("0", "", "[REDACTED]"), blockOf("1", "", "")...), messageEnd...)...)},
	} {
		t.Run(name, func(t *testing.T) {
			in, api := newInspector(t, policy.Window), typedAPI(t, tc.api)
			splits(tc.in, func(at int, chunks ...string) {
				if o := drive(t, in.Stream(api), chunks...); o.blocked || o.fault != "" || o.out != tc.want {
					t.Fatalf("cut at %d: %+v, want\n%s", at, o, tc.want)
				}
			})
		})
	}
}

// The event that says that the answer is complete waits for the verdict, and so
// does what tells a client that no more words come.
func TestTypedEndWaits(t *testing.T) {
	for name, tc := range map[string]struct{ api, in, last string }{
		"responses": {"responses", answered("", []string{"fine"}, "fine"), "event: response.completed"},
		"messages":  {"messages", typed(append(blockOf("0", "", "fine"), messageEnd...)...), "event: message_delta"},
		"no stop":   {"messages", typed(append(blockOf("0", "", "fine")[:2], messageEnd...)...), "event: message_delta"},
	} {
		d := newInspector(t, policy.Window).Stream(typedAPI(t, tc.api))
		s, err := d.Write(context.Background(), []byte(tc.in))
		want, _, _ := strings.Cut(tc.in, tc.last)
		if err != nil || string(s.Release) != want || !d.Ended() {
			t.Errorf("%s: %q, %v, %t, want %q", name, s.Release, err, d.Ended(), want)
		}
		if s, err = d.Write(context.Background(), []byte(typed([2]string{"ping", `,"x":"codename nightjar"`}))); err != nil || s.Blocked || len(s.Release) > 0 {
			t.Errorf("%s: behind the end: %+v, %v", name, s, err)
		}
		if s, err = d.End(context.Background()); err != nil || want+string(s.Release) != tc.in {
			t.Errorf("%s: at the end: %q, %v", name, s.Release, err)
		}
	}
}

// A phrase that is complete at the end of a stream blocks it before the end is out.
func TestTypedBlock(t *testing.T) {
	for name, tc := range map[string]struct{ api, in string }{
		"responses": {"responses", answered("so: codename", []string{" night", "jar"}, "so: codename nightjar")},
		"messages":  {"messages", typed(append(blockOf("0", "so: codename", " night", "jar"), messageEnd...)...)},
		"a citation": {"messages", typed(append([][2]string{{"content_block_delta", `,"index":0,"delta":{"type":"citations_delta","citation":{"cited_text":"codename nightjar"}}`}},
			messageEnd...)...)},
		"an error":             {"messages", typed([2]string{"error", `,"error":{"type":"x","message":"codename nightjar"}`})},
		"a response's request": {"responses", typed([2]string{"response.created", `,"response":{"id":"r","instructions":"codename nightjar"}`})},
	} {
		d := newInspector(t, policy.Window).Stream(typedAPI(t, tc.api))
		o := drive(t, d, bytewise(tc.in)...)
		if !o.blocked || d.Decision().Category != verdict.Weapons || strings.Contains(o.out, "jar") || strings.Contains(o.out, "message_stop") {
			t.Errorf("%s: %+v, %+v", name, o, d.Decision())
		}
	}
}

// Texts of a stream at a place that no description names may continue each other
// or stand alone: they are read either way.
func TestUnknownTextsAreReadAlone(t *testing.T) {
	unknown := func(texts ...string) (events []string) {
		for _, s := range texts {
			events = append(events, `{"choices":[{"index":0,"delta":{"notes":[{"text":"`+s+`"}]}}]}`)
		}
		return events
	}
	for name, texts := range map[string][]string{
		"alone":    {"thing", "codename nightjar"},
		"together": {"thing code", "name night", "jar"},
		"in one":   {`one"},{"text":"codename nightjar`},
	} {
		if o := drive(t, newDirection(t, (*Inspector).Stream), sse(unknown(texts...)...)); !o.blocked {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// The last event of a Responses stream repeats all of a long answer.
func TestLongLastEvent(t *testing.T) {
	words := strings.Repeat("all is well ", 300_000)
	in := answered("", []string{"fine"}, words)
	if o := drive(t, newInspector(t, policy.Window).Stream(typedAPI(t, "responses")), in); o.fault != "" || o.out != in {
		t.Errorf("%s, %d of %d bytes", o.fault, len(o.out), len(in))
	}
}

// Clients join the texts of an answer's parts, so what goes over two of them is
// read, too, and what begins with a part still is.
func TestPartsThatClientsJoin(t *testing.T) {
	block := func(texts ...string) string {
		return `{"type":"message","content":[{"type":"text","text":"` + strings.Join(texts, `"},{"type":"text","text":"`) + `"}]}`
	}
	items := func(texts ...string) string {
		return `{"output":[{"type":"message","content":[{"type":"output_text","text":"` +
			strings.Join(texts, `"}]},{"type":"message","content":[{"type":"output_text","text":"`) + `"}]}]}`
	}
	part := func(index, text string) [2]string {
		return [2]string{"response.output_text.delta", `,"output_index":0,"content_index":` + index + `,"delta":"` + text + `"`}
	}
	for name, tc := range map[string]struct {
		api, in string
		stream  bool
	}{
		"blocks":              {"messages", block("so: codename night", "jar"), false},
		"at a block's start":  {"messages", block("so", "codename nightjar"), false},
		"items":               {"responses", items("so: codename", " nightjar"), false},
		"at an item's start":  {"responses", items("so", "codename nightjar"), false},
		"streamed blocks":     {"messages", typed(append(append(blockOf("0", "", "codename"), blockOf("1", "", " nightjar")...), messageEnd...)...), true},
		"a block's beginning": {"messages", typed(append(append(blockOf("0", "", "so"), blockOf("1", "codename", " nightjar")...), messageEnd...)...), true},
		"streamed parts":      {"responses", typed(part("0", "so: codename"), part("1", " nightjar")), true},
		"a part's start":      {"responses", typed(part("0", "so"), part("1", "codename nightjar")), true},
	} {
		in := newInspector(t, policy.Window)
		d := in.Response(typedAPI(t, tc.api))
		if tc.stream {
			d = in.Stream(typedAPI(t, tc.api))
		}
		if o := drive(t, d, tc.in); !o.blocked || strings.Contains(o.out, "jar") {
			t.Errorf("%s: %+v", name, o)
		}
	}
}
