package measure

import (
	"strings"
	"testing"

	"github.com/difflabai/confidential-safety/verdict"
)

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		line string
		want Label
		text string
	}{
		"all": {
			`{"id":"set-1","source":"a.b/c-d","group":"g","text":"caf\u00e9","category":"CBRN","harmful":true,"role":"prompt","lang":"pt-BR","licence":"MIT"}`,
			Label{`"set-1"`, "CBRN", verdict.PreInferenceGate, "a.b/c-d", "pt-BR", 5}, "café",
		},
		"least": {
			`{"text":"","category":"BENIGN","role":"completion"}`,
			Label{"null", "BENIGN", verdict.PostInferenceGate, "file", "und", 0}, "",
		},
		"response": {
			`{"id":-12,"text":"x","category":"MY_OWN","role":"response","source":"","lang":""}`,
			Label{"-12", "MY_OWN", verdict.PostInferenceGate, "file", "und", 1}, "x",
		},
		"an id that could be a text": {
			`{"id":"two words","text":"x","category":"BENIGN","harmful":false,"role":"prompt"}`,
			Label{"null", "BENIGN", verdict.PreInferenceGate, "file", "und", 1}, "x",
		},
		"an id of many parts": {
			`{"id":{"a":["word"]},"text":"x","category":"BENIGN","role":"prompt"}`,
			Label{"null", "BENIGN", verdict.PreInferenceGate, "file", "und", 1}, "x",
		},
		"a source in another script": {
			`{"text":"x","category":"BENIGN","role":"prompt","source":"データ"}`,
			Label{"null", "BENIGN", verdict.PreInferenceGate, "データ", "und", 1}, "x",
		},
	} {
		if got, text, err := Parse([]byte(c.line), "file"); err != nil || got != c.want || text != c.text {
			t.Errorf("%s: %+v, %q, %v", name, got, text, err)
		}
	}
}

// What is wrong is never said in the row's words.
func TestParseRefuses(t *testing.T) {
	const row = `{"text":"secret","category":"CBRN","role":"prompt"`
	for name, c := range map[string]struct{ line, want string }{
		"no JSON":              {`secret`, "not an object"},
		"cut off":              {row, "not an object"},
		"an array":             {`["secret"]`, "not an object"},
		"two values":           {row + `} {}`, "not an object"},
		"duplicate":            {row + `,"text":"hi"}`, "not an object"},
		"invalid UTF-8":        {row + ",\"x\":\"\xff\"}", "not valid UTF-8"},
		"null":                 {`null`, `"text" is missing`},
		"no text":              {`{"txt":"secret","category":"CBRN","role":"prompt"}`, `"text" is missing`},
		"other case":           {`{"Text":"secret","category":"CBRN","role":"prompt"}`, `"text" is missing`},
		"text is null":         {`{"text":null,"category":"CBRN","role":"prompt"}`, `"text" is missing`},
		"text is no string":    {`{"text":["secret"],"category":"CBRN","role":"prompt"}`, "not an object"},
		"no category":          {`{"text":"secret","role":"prompt"}`, `"category" is missing`},
		"no role":              {`{"text":"secret","category":"CBRN"}`, `"role" is missing`},
		"a role's case":        {`{"text":"secret","category":"CBRN","role":"Prompt"}`, `"role" is unknown`},
		"role is a text":       {`{"text":"x","category":"CBRN","role":"secret"}`, `"role" is unknown`},
		"category is a text":   {`{"text":"x","category":"a secret","role":"prompt"}`, `"category" is no name`},
		"category is reserved": {`{"text":"secret","category":"NONE","role":"prompt"}`, `"category" is no name`},
		"harmful benign":       {`{"text":"secret","category":"BENIGN","role":"prompt","harmful":true}`, "contradict"},
		"harmless risk":        {row + `,"harmful":false}`, "contradict"},
		"harmful is a text":    {row + `,"harmful":"secret"}`, "not an object"},
		"source is a text":     {row + `,"source":"a secret"}`, `"source" is no name`},
		"source is too long":   {row + `,"source":"` + strings.Repeat("a", 101) + `"}`, `"source" is no name`},
		"lang is a text":       {row + `,"lang":"secret\n"}`, `"lang" is no name`},
	} {
		if _, _, err := Parse([]byte(c.line), "file"); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
