package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const benign = "BENIGN"

// dangerousCategories are those of the embedded default policy.
var dangerousCategories = []string{"BIOTERROR", "CBRN", "CSAM", "CYBER_ATTACK", "WEAPONS"}

// furtherLanguages are those besides English.
var furtherLanguages = []string{"ar", "de", "es", "fr", "hi", "it", "ja", "ko", "pt", "ru", "vi", "zh"}

// rowID is the file's letter, the language, a subject and a number.
var rowID = regexp.MustCompile(`^([dhl])-([a-z]{2})-([a-z]+)-\d{3}$`)

// Rows have the form that testdata/detection/README.md describes, and no text
// comes twice, in whatever file.
func TestCorporaFormat(t *testing.T) {
	ids, texts := make(map[string]bool), make(map[string]string)
	for _, letter := range []string{"d", "h", "l"} {
		file := map[string]string{"d": "dangerous.jsonl", "h": "languages.jsonl", "l": "lookalikes.jsonl"}[letter]
		for _, r := range readCorpus(t, file) {
			id := rowID.FindStringSubmatch(r.ID)
			switch dangerous := slices.Contains(dangerousCategories, r.Category); {
			case id == nil || id[1] != letter || id[2] != r.Lang:
				t.Errorf("%s: %s: the id does not fit the file and the language %s", file, r.ID, r.Lang)
			case ids[r.ID]:
				t.Errorf("%s: %s: comes twice", file, r.ID)
			case !dangerous && r.Category != benign, dangerous && letter == "l", !dangerous && letter == "d":
				t.Errorf("%s: %s: category %s", file, r.ID, r.Category)
			case r.Role != "prompt" && r.Role != "completion":
				t.Errorf("%s: %s: role %s", file, r.ID, r.Role)
			case !slices.Contains(furtherLanguages, r.Lang) && (r.Lang != "en" || letter == "h"):
				t.Errorf("%s: %s: language %s", file, r.ID, r.Lang)
			case strings.TrimSpace(r.Text) != r.Text || strings.ContainsFunc(r.Text, invisible):
				t.Errorf("%s: %s: space around the text, or a character that nobody sees", file, r.ID)
			}
			ids[r.ID] = true
			same := strings.Join(strings.FieldsFunc(strings.ToLower(r.Text), notWord), " ")
			if other, ok := texts[same]; ok {
				t.Errorf("%s: %s: says the same as %s", file, r.ID, other)
			}
			texts[same] = r.ID
		}
	}
}

func invisible(r rune) bool { return r != '\n' && !unicode.IsPrint(r) || r == unicode.ReplacementChar }

func notWord(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.N) }

// The corpora are no smaller and no more of one kind than they are said to be.
func TestCorporaSize(t *testing.T) {
	dangerous, lookalikes, languages := readCorpus(t, "dangerous.jsonl"), readCorpus(t, "lookalikes.jsonl"), readCorpus(t, "languages.jsonl")
	has := func(what string, rows []corpusRow, least int, is func(corpusRow) bool) {
		t.Helper()
		n := 0
		for _, r := range rows {
			if is(r) {
				n++
			}
		}
		if n < least {
			t.Errorf("%s: %d rows, want %d or more", what, n, least)
		}
	}
	all := func(corpusRow) bool { return true }
	prompt := func(r corpusRow) bool { return r.Role == "prompt" }
	completion := func(r corpusRow) bool { return r.Role == "completion" }

	has("dangerous", dangerous, 400, all)
	has("dangerous prompts", dangerous, 300, prompt)
	has("dangerous completions", dangerous, 100, completion)
	has("dangerous, English", dangerous, 200, func(r corpusRow) bool { return r.Lang == "en" })
	has("look-alikes", lookalikes, 500, all)
	has("look-alike prompts", lookalikes, 300, prompt)
	has("look-alike completions", lookalikes, 100, completion)
	has("look-alikes, English", lookalikes, 250, func(r corpusRow) bool { return r.Lang == "en" })
	has("look-alikes of 2 KB to 8 KB", lookalikes, 10, func(r corpusRow) bool { return 2_000 <= len(r.Text) && len(r.Text) <= 8_000 })
	for _, category := range dangerousCategories {
		has("dangerous, "+category, dangerous, 80, func(r corpusRow) bool { return r.Category == category })
	}
	for _, lang := range furtherLanguages {
		in := func(r corpusRow) bool { return r.Lang == lang }
		has("dangerous, "+lang, dangerous, 15, in)
		has("look-alikes, "+lang, lookalikes, 15, in)
		has("languages, dangerous, "+lang, languages, 40, func(r corpusRow) bool { return in(r) && r.Category != benign })
		has("languages, benign, "+lang, languages, 40, func(r corpusRow) bool { return in(r) && r.Category == benign })
	}
}
