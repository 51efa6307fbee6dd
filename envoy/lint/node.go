package lint

import (
	"bytes"
	"encoding/json"

	"google.golang.org/protobuf/reflect/protoregistry"
)

// node is a value of YAML or JSON with its line. Both are read into nodes and
// written as JSON for the one strict parser that knows Envoy's messages.
type node struct {
	line    int
	raw     json.RawMessage // of a scalar
	keys    []*node         // of an object, beside its values
	values  []*node         // of an object or an array
	objects bool
}

// write appends the node as JSON. Each value is on the line that it had, so that
// the parser's errors have the right line.
func (n *node) write(out *bytes.Buffer, line *int) {
	for ; *line < n.line; *line++ {
		out.WriteByte('\n')
	}
	if n.raw != nil {
		out.Write(n.raw)
		return
	}
	begin, end := byte('['), byte(']')
	if n.objects {
		begin, end = '{', '}'
	}
	out.WriteByte(begin)
	for i, v := range n.values {
		if i > 0 {
			out.WriteByte(',')
		}
		if n.objects {
			n.keys[i].write(out, line)
			out.WriteByte(':')
		}
		v.write(out, line)
	}
	out.WriteByte(end)
}

// Names in Envoy's configuration of what is packed, and of what stands for it.
const (
	typeKey   = `"@type"`
	valueKey  = `"value"`
	structURL = `"type.googleapis.com/google.protobuf.Struct"`
)

// stand puts a google.protobuf.Struct in the place of everything that is packed
// and of a type that this program does not hold. The judge finds it there; the
// parser would stop.
func (n *node) stand() *node {
	for i, v := range n.values {
		n.values[i] = v.stand()
	}
	for i, k := range n.keys {
		if string(k.raw) != typeKey || known(n.values[i].raw) {
			continue
		}
		return &node{
			line: n.line, objects: true,
			keys:   []*node{{line: n.line, raw: json.RawMessage(typeKey)}, {line: n.line, raw: json.RawMessage(valueKey)}},
			values: []*node{{line: n.line, raw: json.RawMessage(structURL)}, n},
		}
	}
	return n
}

// known tells whether a type is held by this program, or is no type at all,
// which the parser finds out.
func known(raw json.RawMessage) bool {
	var url string
	if json.Unmarshal(raw, &url) != nil {
		return true
	}
	_, err := protoregistry.GlobalTypes.FindMessageByURL(url)
	return err == nil
}
