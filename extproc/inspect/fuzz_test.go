package inspect

import (
	"slices"
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

// FuzzVerdict holds a stream to one verdict, however its bytes are split: the
// same block or fault, the same decision and, where it passes, the same bytes.
func FuzzVerdict(f *testing.F) {
	seeds := []string{
		sse(delta("0", "on proj"), delta("0", "ect heron, codename"), delta("0", " nightjar!"), finished, done),
		sse(delta("0", "codename nightjar, ")) + "data: {\n\n",                   // a block, then what cannot be read
		sse(delta("0", "codename nightjar, "), `{"a":1,"a":2}`, delta("0", "x")), // and a fault of another kind
		sse(delta("0", "codename nightjar")) + "data: {\n\n",
		sse(reasoning("project"), delta("1", "operation finch "), reasoning(" heron "), done) + ": project\r\n\r: heron\r\r",
		sse(`{"type":"response.output_text.delta","output_index":0,"delta":"on project"}`, `{"delta":" heron, codename","output_index":0,"type":"response.output_text.delta"}`,
			`{"type":"response.output_text.done","output_index":0,"text":"on project heron, codename"}`, `{"type":"response.completed","response":{"output":[]}}`, "{}"),
		sse(`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"on project"}}`, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" heron, codename nightjar "}}`,
			`{"type":"content_block_stop","index":0}`, `{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`, `{"type":"message_stop"}`),
		"event: message_stop\n" + sse(`{"type":"message_stop"}`) + "event: x\n" + sse(`{"type":"codename nightjar"}`),
		"\xef\xbb\xbfdata:" + delta("0", "pro\\u006aect heron") + "\r\n\r\nid: 1\nevent: codename\n\n",
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	streaming := slices.DeleteFunc(decode.APIs(), func(a *decode.API) bool { return !a.Streams() })
	for i, s := range seeds {
		for api := range streaming {
			f.Add(s, i+1, uint(api))
		}
	}
	in := newInspector(f, policy.Window)
	f.Fuzz(func(t *testing.T, body string, step int, api uint) {
		a := streaming[api%uint(len(streaming))]
		if step < 1 || len(body) > 8<<10 {
			t.Skip("out of the interesting range")
		}
		whole := in.Stream(a)
		want, decision := drive(t, whole, body), whole.Decision()
		var chunks []string
		for rest := body; rest != ""; {
			n := min(step, len(rest))
			chunks, rest = append(chunks, rest[:n]), rest[n:]
		}
		split := in.Stream(a)
		got := drive(t, split, chunks...)
		if got.blocked != want.blocked || got.fault != want.fault {
			t.Fatalf("by %d: %+v, want %+v", step, got, want)
		}
		if d := split.Decision(); d.Action != decision.Action || d.Category != decision.Category {
			t.Errorf("by %d: %v %s, want %v %s", step, d.Action, d.Category, decision.Action, decision.Category)
		}
		if passed := !want.blocked && want.fault == ""; passed && got.out != want.out {
			t.Errorf("by %d: %q, want %q", step, got.out, want.out)
		}
		if got.blocked && (decision.Action != verdict.Block || strings.Contains(got.out, "nightjar")) {
			t.Errorf("by %d: %+v released %q", step, decision, got.out)
		}
	})
}
