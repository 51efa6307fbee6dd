package decode

import (
	"encoding/json"
	"testing"
)

// textCut is an edit as a test writes it: the text that goes, in the first piece
// of that kind that holds it.
type textCut struct {
	kind   Kind
	glued  bool
	text   string // must be in the piece
	insert string
}

func (c textCut) edit(t *testing.T, ev *Event) Edit {
	t.Helper()
	for i, p := range ev.Pieces {
		if p.Place.Kind != c.kind || p.Place.Glued != c.glued {
			continue
		}
		if from := indexOf(p.Text, c.text); from >= 0 {
			return Edit{Piece: i, From: from, To: from + len(c.text), Insert: c.insert}
		}
	}
	t.Fatalf("no piece holds %q", c.text)
	return Edit{}
}

func indexOf(p []byte, s string) int {
	for i := range len(p) - len(s) + 1 {
		if string(p[i:i+len(s)]) == s {
			return i
		}
	}
	return -1
}

const redacted = "[REDACTED]"

func TestRender(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		cuts       []textCut
		shadows    bool
		want       string
	}{
		{"nothing", chunk(`{ "delta":{"content":"night\u006aar"}}`), nil, false, chunk(`{ "delta":{"content":"night\u006aar"}}`)},
		{"no shadows to drop", chunk(`{"delta":{"content":"a"},"logprobs": null}`), nil, true, chunk(`{"delta":{"content":"a"},"logprobs": null}`)},
		{"middle", chunk(`{"delta":{"content":"the nightjar sings"}}`), []textCut{{Content, false, "nightjar", redacted}}, false,
			chunk(`{"delta":{"content":"the [REDACTED] sings"}}`)},
		{"all", chunk(`{"delta":{"content":"nightjar"}}`), []textCut{{Content, false, "nightjar", redacted}}, false,
			chunk(`{"delta":{"content":"[REDACTED]"}}`)},
		{"to nothing", chunk(`{"delta":{"content":"a nightjar"}}`), []textCut{{Content, false, " nightjar", ""}}, false,
			chunk(`{"delta":{"content":"a"}}`)},
		{"short escapes around", chunk(`{"delta":{"content":"\n\"night\\jar\"\/"}}`), []textCut{{Content, false, `night\jar`, redacted}}, false,
			chunk(`{"delta":{"content":"\n\"[REDACTED]\"\/"}}`)},
		{"escapes within", chunk(`{"delta":{"content":"\u00e9\u006eight\u006Aar\u20AC"}}`), []textCut{{Content, false, "nightjar", redacted}}, false,
			chunk(`{"delta":{"content":"\u00e9[REDACTED]\u20AC"}}`)},
		{"surrogate pairs", chunk(`{"delta":{"content":"\ud83d\ude00a\uD83D\uDE01b😀\n"}}`), []textCut{{Content, false, "a😁", redacted}, {Content, false, "😀\n", ""}}, false,
			chunk(`{"delta":{"content":"\ud83d\ude00[REDACTED]b"}}`)},
		{"several", chunk(`{"delta":{"content":"a\tnightjar, a nightjar"}}`), []textCut{{Content, false, "a\tnightjar", redacted}, {Content, false, " a nightjar", redacted}}, false,
			chunk(`{"delta":{"content":"[REDACTED],[REDACTED]"}}`)},
		{"over pieces", chunk(`{"index":0,"delta":{"content":"a night"}},{"index":0,"delta":{"content":"jar b"}}`),
			[]textCut{{Content, false, "night", redacted}, {Content, false, "jar", ""}}, false,
			chunk(`{"index":0,"delta":{"content":"a [REDACTED]"}},{"index":0,"delta":{"content":" b"}}`)},
		{"edits in any order", chunk(`{"delta":{"content":"one two three"}}`), []textCut{{Content, false, "three", "3"}, {Content, false, "one", "1"}}, false,
			chunk(`{"delta":{"content":"1 two 3"}}`)},
		{"shadows go", chunk(`{"delta":{"content":"nightjar"},"logprobs":{"content":[{"token":"nightjar"}]},"token_ids": [1,2] }`),
			[]textCut{{Content, false, "nightjar", redacted}, {Logprobs, false, "night", redacted}}, true,
			chunk(`{"delta":{"content":"[REDACTED]"},"logprobs":null,"token_ids": null }`)},
		{"shadows at the top", `data: {"prompt_logprobs":[{"1":{"decoded_token":"a"}}],"prompt_token_ids":[1],"choices":[]}` + "\n\n", nil, true,
			`data: {"prompt_logprobs":null,"prompt_token_ids":null,"choices":[]}` + "\n\n"},
		{"shadows of SGLang", chunk(`{"delta":{"content":"a"},"meta_info":{"output_token_logprobs":[[-1,7,"a"]]},"response_token_ids":[7]}`), nil, true,
			chunk(`{"delta":{"content":"a"},"meta_info":null,"response_token_ids":null}`)},
		{"ids of SGLang", `data: {"choices":[],"sglext":{"output_ids":[[7]]}}` + "\n\n", nil, true, `data: {"choices":[],"sglext":null}` + "\n\n"},
		{"shadow over lines", "data: {\"choices\":[{\"token_ids\":[1,\r\ndata: 2\r\ndata:],\r\ndata: \"text\":\"a\\u0062c\"}]}\r\n\r\n",
			[]textCut{{Unknown, false, "b", "x"}}, true, "data: {\"choices\":[{\"token_ids\":null,\r\ndata: \"text\":\"axc\"}]}\r\n\r\n"},
		{"comment", ": nightjar\nid: 7\ndata: {}\n\n", []textCut{{Aside, false, "nightjar", redacted}}, false, ": [REDACTED]\nid: 7\ndata: {}\n\n"},
		{"name of a member", "data: {\"night\\u006aar\":1}\n\n", []textCut{{Other, false, "nightjar", redacted}}, false, "data: {\"[REDACTED]\":1}\n\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			evs := mustRead(t, chat(t).ReadStream(DefaultLimits()), tc.body)
			var edits []Edit
			for _, c := range tc.cuts {
				edits = append(edits, c.edit(t, evs[0]))
			}
			got := string(evs[0].Render([]byte("before "), edits, tc.shadows))
			if got != "before "+tc.want {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
		})
	}
}

// In a whole response a list of texts is read twice: cuts found in both
// readings overlap in their source.
func TestRenderTwoReadings(t *testing.T) {
	const head, sep, tail = `{"choices":[{"message":{"content":[{"type":"text","text":"`, `"},{"type":"text","text":"`, `"}]}}]}`
	for _, tc := range []struct {
		name, a, b string
		cuts       []textCut
		wantA      string
		wantB      string
	}{
		{"glued only", "the night", "jar sings", []textCut{{Content, true, "night", redacted}, {Content, true, "jar", ""}}, "the [REDACTED]", " sings"},
		{"the same in both", "the nightjar", "sings", []textCut{{Content, false, "nightjar", redacted}, {Content, true, "nightjar", redacted}}, "the [REDACTED]", "sings"},
		{"one within the other", "the nightjar", "sings", []textCut{{Content, false, "nightjar", redacted}, {Content, true, "the nightjar", redacted}}, redacted, "sings"},
		{"overlap", "the nightjar\\n", "sings", []textCut{{Content, false, "the night", redacted}, {Content, true, "nightjar\n", redacted}}, redacted, "sings"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			evs := mustRead(t, chat(t).ReadResponse(DefaultLimits()), head+tc.a+sep+tc.b+tail)
			var edits []Edit
			for _, c := range tc.cuts {
				edits = append(edits, c.edit(t, evs[0]))
			}
			if got, want := string(evs[0].Render(nil, edits, false)), head+tc.wantA+sep+tc.wantB+tail; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// TestRenderBoundaries cuts at every pair of positions, within runes too, and
// beyond the text's ends.
func TestRenderBoundaries(t *testing.T) {
	for _, inside := range []string{`aé€😀b`, `a\u00e9\u20ac\ud83d\ude00b`, `é\n😀\\\u20acé`} {
		body := `{"choices":[{"message":{"content":"` + inside + `"}}]}`
		ev := mustRead(t, chat(t).ReadResponse(DefaultLimits()), body)[0]
		text := string(ev.Pieces[len(ev.Pieces)-1].Text)
		var starts []int // of the text's runes, and its end
		for i := range text {
			starts = append(starts, i)
		}
		starts = append(starts, len(text))
		for from := -1; from <= len(text)+1; from++ {
			for to := from; to <= len(text)+1; to++ {
				start, end := 0, len(text)
				for _, s := range starts {
					if s <= from {
						start = s
					}
				}
				for i := range starts {
					if s := starts[len(starts)-1-i]; s >= to {
						end = s
					}
				}
				got := ev.Render(nil, []Edit{{len(ev.Pieces) - 1, from, to, "_"}}, false)
				var v struct {
					Choices []struct{ Message struct{ Content string } }
				}
				if err := json.Unmarshal(got, &v); err != nil {
					t.Fatalf("%q %d:%d: %v", text, from, to, err)
				}
				if got, want := v.Choices[0].Message.Content, text[:start]+"_"+text[end:]; got != want {
					t.Errorf("%q %d:%d: %q, want %q", text, from, to, got, want)
				}
			}
		}
	}
}

// Many edits of one long piece must not each read it from its start: without
// that this test takes minutes.
func TestRenderManyEdits(t *testing.T) {
	const n = 100_000
	body := func(s string) string { return `{"choices":[{"message":{"content":"` + repeat(s, n) + `"}}]}` }
	ev := mustRead(t, chat(t).ReadResponse(DefaultLimits()), body(`nightjar\n`))[0]
	edits := make([]Edit, n)
	for i := range edits {
		edits[i] = Edit{0, 9 * i, 9*i + 8, "_"}
	}
	if got := string(ev.Render(nil, edits, false)); got != body(`_\n`) {
		t.Error("not each of the words is replaced")
	}
}
