package policy

import (
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// position is a place in a policy file, from 1.
type position struct{ line, column int }

// positions knows where each key of a TOML file stands, by a path such as
// "risk_categories[0].action". The decoder tells it only for its own errors;
// what is wrong with a value is found later.
type positions map[string]position

// locate reads data, which must be valid TOML. misspelled is the first key with
// an upper-case letter: no key of a policy has one, and the decoder would take
// it for the key in lower case.
func locate(data []byte) (at positions, misspelled string) {
	l := locator{at: make(positions), counts: make(map[string]int)}
	l.p.Reset(data)
	table := ""
	for l.p.NextExpression() {
		e := l.p.Expression()
		switch e.Kind {
		case unstable.Table:
			table = l.table(e, false)
		case unstable.ArrayTable:
			table = l.table(e, true)
		case unstable.KeyValue:
			l.keyValue(table, e)
		default:
		}
	}
	return l.at, l.misspelled
}

type locator struct {
	p      unstable.Parser
	at     positions
	counts map[string]int // how many tables an array of tables has so far

	misspelled string
}

// table returns the path of a table header.
func (l *locator) table(e *unstable.Node, array bool) string {
	path := ""
	for it := e.Key(); it.Next(); {
		key := it.Node()
		path = l.join(path, key)
		if it.IsLast() {
			if array {
				l.counts[path]++
				path = fmt.Sprintf("%s[%d]", path, l.counts[path]-1)
			}
			l.put(path, key)
		} else if n := l.counts[path]; n > 0 {
			path = fmt.Sprintf("%s[%d]", path, n-1)
		}
	}
	return path
}

func (l *locator) keyValue(path string, e *unstable.Node) {
	var key *unstable.Node
	for it := e.Key(); it.Next(); {
		key = it.Node()
		path = l.join(path, key)
	}
	l.put(path, key)
	l.value(path, e.Value())
}

func (l *locator) value(path string, v *unstable.Node) {
	switch v.Kind {
	case unstable.InlineTable:
		for it := v.Children(); it.Next(); {
			if n := it.Node(); n.Kind == unstable.KeyValue {
				l.keyValue(path, n)
			}
		}
	case unstable.Array:
		i := 0
		for it := v.Children(); it.Next(); {
			n := it.Node()
			if n.Kind == unstable.Comment {
				continue
			}
			item := fmt.Sprintf("%s[%d]", path, i)
			if n.Kind == unstable.InlineTable {
				// It has no text of its own to point at: its first key will do.
				if first := n.Children(); first.Next() {
					if kv := first.Node(); kv.Kind == unstable.KeyValue {
						if k := kv.Key(); k.Next() {
							l.put(item, k.Node())
						}
					}
				}
			} else if len(n.Data) > 0 {
				l.put(item, n)
			}
			l.value(item, n)
			i++
		}
	default:
	}
}

func (l *locator) put(path string, n *unstable.Node) {
	r := n.Raw
	if r.Length == 0 {
		return
	}
	s := l.p.Shape(r)
	l.at[path] = position{s.Start.Line, s.Start.Column}
}

// of returns the position of the longest known beginning of a path.
func (p positions) of(path string) position {
	for {
		if at, ok := p[path]; ok {
			return at
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return position{1, 1}
		}
		path = path[:i]
	}
}

func (l *locator) join(path string, key *unstable.Node) string {
	name := string(key.Data)
	if path != "" {
		path += "."
	}
	path += name
	if l.misspelled == "" && name != strings.ToLower(name) {
		l.misspelled = path
		l.put(path, key)
	}
	return path
}
