package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// Rows of natural text that nobody wrote for this: the manuals of free software in
// many languages, as their packages hold them. All of it is benign. Without such
// text a language is known only by the requests written for it, and then the
// language itself looks like a request.

// naturalPerSource is how many rows a source gives at most in a language.
const naturalPerSource, naturalOfOthers = 900, 150

// naturalLanguages are those that have phrases too; of the others there are fewer
// rows.
var naturalLanguages = []string{"en", "fr", "de", "es", "pt", "it", "zh", "ja", "ko", "vi", "ar", "hi", "ru"}

// language of a file by its path.
var naturalPath = []struct {
	source string
	path   *regexp.Regexp
}{
	{"libreoffice-help", regexp.MustCompile(`/libreoffice/help/([a-z]{2})[-\w]*/text/.*\.html$`)},
	{"debian-handbook", regexp.MustCompile(`/debian-handbook/html/([a-z]{2})-[A-Z]{2}/.*\.html$`)},
	{"harden-doc", regexp.MustCompile(`/harden-doc/html/([a-z]{2})-[A-Z]{2}/.*\.html$`)},
	{"gnome-user-docs", regexp.MustCompile(`/share/help/([A-Za-z]{1,3})(?:_[A-Z]{2})?/.*\.page$`)},
	{"home-assistant", regexp.MustCompile(`/static/translations/.*?([a-z]{2})(?:-[A-Za-z]{2,4})?-[0-9a-f]{32}\.json$`)},
}

// readNatural reads the files of a directory of unpacked packages.
func readNatural(dir fs.FS) ([]row, error) {
	type place struct{ source, lang string }
	files := make(map[place][]string)
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		for _, p := range naturalPath {
			if m := p.path.FindStringSubmatch("/" + name); m != nil {
				lang := m[1]
				if lang == "C" {
					lang = "en"
				}
				files[place{p.source, lang}] = append(files[place{p.source, lang}], name)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	places := slices.SortedFunc(maps.Keys(files), func(a, b place) int { return strings.Compare(a.source+a.lang, b.source+b.lang) })
	seen := make(map[string]bool)
	var rows []row
	for _, p := range places {
		most := naturalOfOthers
		if slices.Contains(naturalLanguages, p.lang) {
			most = naturalPerSource
		}
		// The files in an order of chance, until there are enough rows.
		rng := seed("natural", p.source, p.lang)
		names := files[p]
		slices.Sort(names)
		rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		n := 0
		for _, name := range names {
			data, err := fs.ReadFile(dir, name)
			if err != nil {
				return nil, err
			}
			paragraphs, err := paragraphsOf(name, data)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			for _, text := range cuttings(rng, paragraphs) {
				if n >= most || seen[text] {
					continue
				}
				seen[text] = true
				n++
				rows = append(rows, row{
					Text: text, Category: "BENIGN", Role: "prompt", Lang: p.lang, weight: 0.7,
					Source: "natural-" + p.source, Group: "natural/" + path.Base(name),
				})
			}
			if n >= most {
				break
			}
		}
	}
	return rows, nil
}

// cuttings are paragraphs by themselves, some in a row, and long stretches.
func cuttings(rng *rand.Rand, paragraphs []string) (texts []string) {
	for i := 0; i < len(paragraphs); {
		n := 1
		switch k := rng.IntN(10); {
		case k >= 8:
			n = 4 + rng.IntN(12)
		case k >= 5:
			n = 2 + rng.IntN(2)
		}
		n = min(n, len(paragraphs)-i)
		sep := "\n"
		if rng.IntN(2) == 0 {
			sep = "\n\n"
		}
		texts = append(texts, strings.Join(paragraphs[i:i+n], sep))
		i += n
	}
	// A few of a file are enough: there are many files.
	rng.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	return texts[:min(len(texts), 6)]
}

// shortest paragraph that counts, in characters.
const shortest = 12

func paragraphsOf(name string, data []byte) ([]string, error) {
	var all []string
	add := func(text string) {
		if text = strings.Join(strings.Fields(text), " "); utf8.RuneCountInString(text) >= shortest {
			all = append(all, text)
		}
	}
	if path.Ext(name) == ".json" {
		var tree map[string]any
		if err := json.Unmarshal(data, &tree); err != nil {
			return nil, err
		}
		leaves(tree, add)
		return all, nil
	}
	z := html.NewTokenizer(strings.NewReader(string(data)))
	var text strings.Builder
	skip := 0
	for {
		kind := z.Next()
		switch kind {
		case html.ErrorToken:
			add(text.String())
			if !errors.Is(z.Err(), io.EOF) {
				return nil, z.Err()
			}
			return all, nil
		case html.TextToken:
			if skip == 0 {
				text.Write(z.Text())
			}
		case html.StartTagToken, html.EndTagToken:
			tag, _ := z.TagName()
			switch string(tag) {
			case "script", "style", "pre", "code", "head", "footer", "info", "title", "screen":
				if kind == html.StartTagToken {
					skip++
				} else {
					skip = max(skip-1, 0)
				}
			case "p", "h1", "h2", "h3", "h4", "li", "td", "th", "dt", "dd", "div", "item", "section", "note", "steps", "list", "page":
				add(text.String())
				text.Reset()
			}
		case html.SelfClosingTagToken, html.CommentToken, html.DoctypeToken:
		}
	}
}

// leaves are the strings of a JSON value, by the order of the keys.
func leaves(v any, add func(string)) {
	switch v := v.(type) {
	case string:
		add(v)
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			leaves(v[k], add)
		}
	}
}
