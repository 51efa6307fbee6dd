package lint

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// inspected are the paths that the fixtures have.
func inspected() []string {
	return []string{"/v1/chat/completions", "/v1/models", "/v1/messages"}
}

// base is a configuration that passes, with an upstream elsewhere.
func base(t testing.TB) any {
	t.Helper()
	text, err := os.ReadFile("../testdata/bootstrap_tls.json")
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func mustLint(t testing.TB, what string, v any) *Report {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Lint("envoy.json", text, inspected())
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return r
}

var pathPart = regexp.MustCompile(`^\.?([a-z0-9_@]+)|^\[([0-9]+)\]|^\["([^"]+)"\]`)

// edit returns v with the value at a path replaced: made where there is none,
// removed where value is empty. An index behind an array's end appends.
func edit(v any, path, value string) (any, error) {
	if path == "" {
		if value == "" {
			return nil, nil
		}
		var parsed any
		if err := json.Unmarshal([]byte(value), &parsed); err != nil {
			return nil, fmt.Errorf("%s: %w", value, err)
		}
		return parsed, nil
	}
	part := pathPart.FindStringSubmatch(path)
	if part == nil {
		return nil, fmt.Errorf("path %q", path)
	}
	rest := path[len(part[0]):]
	if part[2] != "" {
		i, err := strconv.Atoi(part[2])
		list, ok := v.([]any)
		if err != nil || !ok && v != nil || i > len(list) {
			return nil, fmt.Errorf("path %q: no such element", path)
		}
		if i == len(list) {
			list = append(list, nil)
		}
		if rest == "" && value == "" {
			return append(list[:i:i], list[i+1:]...), nil
		}
		list[i], err = edit(list[i], rest, value)
		return list, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		if v != nil {
			return nil, fmt.Errorf("path %q: no object", path)
		}
		object = map[string]any{}
	}
	key := part[1] + part[3]
	if rest == "" && value == "" {
		if _, there := object[key]; !there {
			return nil, fmt.Errorf("path %q: nothing to remove", path)
		}
		delete(object, key)
		return object, nil
	}
	var err error
	object[key], err = edit(object[key], rest, value)
	return object, err
}

// fixture is one configuration by its difference from the base, and what must be
// found in it.
type fixture struct {
	name  string
	edits []string // lines: + PATH VALUE, - PATH
	want  []string // findings
}

// fixtures reads a file of them: "# name", edits, and findings behind ">". A
// line "$name PATH" gives a path a name.
func fixtures(t testing.TB, file string) (names map[string]string, all []*fixture) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	names = map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "" || strings.HasPrefix(line, "//"):
		case strings.HasPrefix(line, "# "):
			all = append(all, &fixture{name: line[2:]})
		case strings.HasPrefix(line, "$"):
			name, path, _ := strings.Cut(line, " ")
			names[name] = expand(names, path)
		case strings.HasPrefix(line, "> "):
			all[len(all)-1].want = append(all[len(all)-1].want, line[2:])
		case strings.HasPrefix(line, "+ ") || strings.HasPrefix(line, "- "):
			all[len(all)-1].edits = append(all[len(all)-1].edits, line)
		default:
			t.Fatalf("%s: %q", file, line)
		}
	}
	return names, all
}

var shortName = regexp.MustCompile(`^\$[a-z0-9_]+`)

func expand(names map[string]string, path string) string {
	return shortName.ReplaceAllStringFunc(path, func(name string) string { return names[name] })
}

// shorten gives a finding's path the longest name that fits.
func shorten(names map[string]string, line string) string {
	best := ""
	for name, path := range names {
		if strings.HasPrefix(line, path) && len(path) > len(names[best]) {
			best = name
		}
	}
	return best + strings.TrimPrefix(line, names[best])
}

func (f *fixture) config(t testing.TB, names map[string]string) any {
	t.Helper()
	v := base(t)
	for _, e := range f.edits {
		path, value, _ := strings.Cut(e[2:], " ")
		if (value == "") != (e[0] == '-') {
			t.Fatalf("%s: %q", f.name, e)
		}
		var err error
		if v, err = edit(v, expand(names, path), value); err != nil {
			t.Fatalf("%s: %q: %v", f.name, e, err)
		}
	}
	return v
}
