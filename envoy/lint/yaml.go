package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// lineError is an error in a line of the text.
type lineError struct {
	line int
	why  string
}

func (e *lineError) Error() string { return e.why }

// readYAML reads one document as Envoy reads it (utility.cc, parseYamlNode):
// a plain scalar is a boolean, null, a number that fits in 32 bits, or else a
// text. What YAML's readers differ in is refused: aliases, tags, keys twice,
// further documents and other words for true and false.
func readYAML(text []byte) (*node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, next yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, yamlError(err)
	}
	if err := dec.Decode(&next); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, yamlError(err)
		}
		return nil, &lineError{next.Line, "a second document, which Envoy would not read: remove it"}
	}
	if len(doc.Content) != 1 {
		return nil, &lineError{1, "nothing is in it"}
	}
	return fromYAML(doc.Content[0])
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?(.*)$`)

// yamlError takes the library's words apart, which name a line.
func yamlError(err error) error {
	if errors.Is(err, io.EOF) {
		return &lineError{1, "nothing is in it"}
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	part := yamlLine.FindStringSubmatch(first)
	if part == nil {
		return &lineError{1, first}
	}
	line, _ := strconv.Atoi(part[1]) // 0 where it names none
	return &lineError{max(line, 1), "no YAML: " + part[2] + ": correct it"}
}

func fromYAML(y *yaml.Node) (*node, error) {
	n := &node{line: y.Line}
	switch {
	case y.Kind == yaml.AliasNode || y.Anchor != "":
		return nil, &lineError{y.Line, "anchors and aliases are not read here: write the value out"}
	case y.Style&yaml.TaggedStyle != 0:
		return nil, &lineError{y.Line, "tags are not read here: remove it"}
	case y.Kind == yaml.ScalarNode:
		raw, err := scalar(y)
		n.raw = raw
		return n, err
	}
	n.objects = y.Kind == yaml.MappingNode
	seen := make(map[string]bool)
	for i, c := range y.Content {
		if !n.objects || i%2 == 1 {
			v, err := fromYAML(c)
			if err != nil {
				return nil, err
			}
			n.values = append(n.values, v)
			continue
		}
		if c.Kind != yaml.ScalarNode || c.Anchor != "" || c.Style&yaml.TaggedStyle != 0 {
			return nil, &lineError{c.Line, "a key must be a plain text, without a tag: Envoy skips one that is tagged !ignore"}
		}
		if seen[c.Value] {
			return nil, &lineError{c.Line, fmt.Sprintf("the key %q is there twice: remove one", c.Value)}
		}
		seen[c.Value] = true
		n.keys = append(n.keys, &node{line: c.Line, raw: quote(c.Value)})
	}
	return n, nil
}

// otherBooleans are what Envoy's YAML reader takes for true or false, too.
var otherBooleans = regexp.MustCompile(`(?i)^(y|n|yes|no|on|off|true|false)$`)

func scalar(y *yaml.Node) (json.RawMessage, error) {
	const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	switch s := y.Value; {
	case y.Style&quoted != 0:
	case s == "true" || s == "false":
		return json.RawMessage(s), nil
	case otherBooleans.MatchString(s):
		return nil, &lineError{y.Line, fmt.Sprintf("%q: write true or false, or put a text in quotes", s)}
	case s == "" || s == "~" || strings.EqualFold(s, "null"):
		return json.RawMessage("null"), nil
	default:
		if i, err := strconv.ParseInt(s, 10, 32); err == nil && strconv.FormatInt(i, 10) == s {
			return json.RawMessage(s), nil
		}
		if i, err := strconv.ParseInt(s, 0, 64); err == nil && strconv.FormatInt(i, 10) != s {
			return nil, &lineError{y.Line, fmt.Sprintf("%q: write the number as decimal digits, or put a text in quotes", s)}
		}
	}
	return quote(y.Value), nil
}

func quote(s string) json.RawMessage {
	raw, _ := json.Marshal(s) // a string always can be
	return raw
}
