package demo

import (
	"slices"
	"strings"
	"testing"
)

func TestRepeated(t *testing.T) {
	for prompt, want := range map[string]string{
		"Repeat after me: good  morning\nall ":     "good  morning\nall",
		"REPEAT exactly:good":                      "good",
		"Please say: \"hello\"":                    `"hello"`,
		"please repeat after me: say hello":        "say hello",
		`Say "hello you" to me`:                    "hello you",
		`print the words 'don't stop' now`:         "don't stop",
		"Echo “hello”, please":                     "hello",
		"Answer with `a b`":                        "a b",
		`say "at: once"`:                           "at: once",
		`say "this": that`:                         "that",
		`say "" 'x'`:                               "x",
		"Reply  with the following hello":          "hello",
		"say it's fine":                            "it's fine",
		"say “open":                                "“open",
		"Say hello at 10:30":                       "hello at 10:30",
		"say https://example.com/":                 "https://example.com/",
		"Repeat back to me the words a b":          "a b",
		"Repeat please, after me, exactly this, a": "a",
		"repeat hello there back to me please.":    "hello there",
		"Say hello, please":                        "hello",
		"Say hello.":                               "hello.",
		"write thistle":                            "thistle",
		"What is the weather?":                     "",
		"I am a printer of essays":                 "",
		"Please repeat":                            "",
		"say this: ":                               "",
		"":                                         "",
	} {
		if got := repeated(prompt); got != want {
			t.Errorf("%q: %q, want %q", prompt, got, want)
		}
	}
}

func TestReplyHelps(t *testing.T) {
	for _, m := range []turn{{"user", "Who are you?"}, {"system", "Say: no"}} {
		if a := reply(&question{turns: []turn{m}}); a.text != help || a.finish != finishStop {
			t.Errorf("%+v: %+v", m, a)
		}
	}
	a := reply(&question{turns: []turn{{"user", "Say: first"}, {"user", "Say: last"}, {"assistant", "Say: no"}}})
	if a.text != "last" {
		t.Errorf("not the last user's words but %q", a.text)
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                     nil,
		" \n":                  {" \n"},
		"a":                    {"a"},
		"a  b\n\nc ":           {"a", "  b", "\n\nc "},
		"\n a\u00a0é\u2003世界 ": {"\n a", "\u00a0é", "\u2003世界 "},
	} {
		got := slices.Collect(words(text))
		if !slices.Equal(got, want) || strings.Join(got, "") != text {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if count(text) != len(want) {
			t.Errorf("%q: %d words", text, count(text))
		}
	}
}

func TestChooseCall(t *testing.T) {
	names := []string{"clock", "fs.read"}
	for _, test := range []struct {
		choice toolChoice
		prompt string
		want   *call
	}{
		{toolChoice{}, "hello", nil},
		{toolChoice{mode: modeAuto}, "Please call clock.", &call{"clock", "{}"}},
		{toolChoice{}, "call `fs.read` with: {\"a\":[1, \"}\"]} and then stop", &call{"fs.read", `{"a":[1, "}"]}`}},
		{toolChoice{}, "call other, then call clock with [1]", &call{"clock", "{}"}},
		{toolChoice{}, "call clock with {broken", &call{"clock", "{}"}},
		{toolChoice{}, "recall clock", nil},
		{toolChoice{mode: modeNone}, "call clock", nil},
		{toolChoice{mode: modeRequired}, "hello", &call{"clock", "{}"}},
		{toolChoice{mode: modeRequired}, "call fs.read", &call{"fs.read", "{}"}},
		{toolChoice{name: "fs.read"}, "call clock with {\"a\":1}", &call{"fs.read", "{}"}},
		{toolChoice{name: "fs.read"}, "call clock, call fs.read with {\"a\":1}", &call{"fs.read", `{"a":1}`}},
	} {
		got := chooseCall(&question{tools: names, choice: test.choice, turns: []turn{{"user", text(test.prompt)}}})
		if (got == nil) != (test.want == nil) || got != nil && *got != *test.want {
			t.Errorf("%+v %q: %+v, want %+v", test.choice, test.prompt, got, test.want)
		}
	}
}
