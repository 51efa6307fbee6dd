package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// readJSON reads one JSON value in which no name is there twice.
func readJSON(text []byte) (*node, error) {
	r := &jsonReader{text: text, dec: jsontext.NewDecoder(bytes.NewReader(text)), line: 1}
	n, err := r.value()
	if err == nil {
		if _, more := r.dec.ReadToken(); more == nil {
			err = errors.New("something stands behind the end")
		} else if !errors.Is(more, io.EOF) {
			err = more
		}
	}
	if err != nil {
		r.advance(r.dec.InputOffset())
		if syntax := (*jsontext.SyntacticError)(nil); errors.As(err, &syntax) {
			r.advance(syntax.ByteOffset)
			err = syntax.Err
		}
		if errors.Is(err, io.EOF) && len(bytes.TrimSpace(text)) == 0 {
			err = errors.New("nothing is in it")
		}
		return nil, &lineError{r.line, "no JSON: " + err.Error() + ": correct it, or give YAML a name that ends in .yaml"}
	}
	return n, nil
}

type jsonReader struct {
	text   []byte
	dec    *jsontext.Decoder
	offset int64 // up to which lines were counted
	line   int
}

// advance counts the lines up to an offset.
func (r *jsonReader) advance(to int64) {
	if to = min(to, int64(len(r.text))); to > r.offset {
		r.line += bytes.Count(r.text[r.offset:to], []byte("\n"))
		r.offset = to
	}
}

func (r *jsonReader) value() (*node, error) {
	kind := r.dec.PeekKind()
	if kind != '{' && kind != '[' {
		raw, err := r.dec.ReadValue()
		if err != nil {
			return nil, err
		}
		if kind == '"' {
			// One form for each text, so that "@type" is found in any.
			if raw, err = jsontext.AppendQuote(nil, unquoted(raw)); err != nil {
				return nil, err
			}
		}
		r.advance(r.dec.InputOffset())
		return &node{line: r.line, raw: json.RawMessage(bytes.Clone(raw))}, nil
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, err
	}
	r.advance(r.dec.InputOffset())
	n := &node{line: r.line, objects: kind == '{'}
	for next := r.dec.PeekKind(); next != '}' && next != ']'; next = r.dec.PeekKind() {
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		if n.objects && len(n.keys) == len(n.values) {
			n.keys = append(n.keys, v)
		} else {
			n.values = append(n.values, v)
		}
	}
	_, err := r.dec.ReadToken()
	return n, err
}

func unquoted(raw jsontext.Value) []byte {
	text, _ := jsontext.AppendUnquote(nil, raw) // the decoder has checked it
	return text
}
