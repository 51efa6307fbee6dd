package lint

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// maxText bounds a configuration, in bytes.
const maxText = 4 << 20

// parse reads a configuration as Envoy would, and more strictly. Its errors name
// the file and, where there is one, the line.
func parse(name string, text []byte) (*bootstrapv3.Bootstrap, error) {
	boot := new(bootstrapv3.Bootstrap)
	err := read(name, text, boot)
	var at *lineError
	switch {
	case errors.As(err, &at):
		return nil, fmt.Errorf("%s:%d: %w", name, at.line, err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return boot, nil
}

func read(name string, text []byte, boot *bootstrapv3.Bootstrap) error {
	switch {
	case len(text) > maxText:
		return fmt.Errorf("it is larger than %d bytes: no Envoy needs that much", maxText)
	case !utf8.Valid(text):
		return errors.New("it is not UTF-8: write it in that")
	}
	reader := readJSON
	if ext := strings.ToLower(filepath.Ext(name)); ext == ".yaml" || ext == ".yml" {
		reader = readYAML
	}
	root, err := reader(text)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	line := 1
	root.stand().write(&out, &line)
	if err := protojson.Unmarshal(out.Bytes(), boot); err != nil {
		return protoError(err)
	}
	return validate("", boot.ProtoReflect())
}

// protojson says "proto: (line 3:14): unknown field", with a space that varies
// on purpose.
var protoLine = regexp.MustCompile(`^proto:\s+(?:syntax error )?\(line ([0-9]+):[0-9]+\): (.*)$`)

func protoError(err error) error {
	said := strings.ReplaceAll(err.Error(), "\u00a0", " ")
	part := protoLine.FindStringSubmatch(said)
	if part == nil {
		return errors.New(strings.TrimSpace(strings.TrimPrefix(said, "proto:")))
	}
	at := &lineError{why: part[2]}
	_, _ = fmt.Sscan(part[1], &at.line) // digits, by the expression
	return at
}

// validate checks m by the constraints of Envoy's own API, and then what is
// packed in it, which those do not look into.
func validate(at string, m protoreflect.Message) error {
	if v, ok := m.Interface().(interface{ ValidateAll() error }); ok {
		if err := v.ValidateAll(); err != nil {
			return errors.New(strings.TrimPrefix(at+": "+err.Error(), ": "))
		}
	}
	return validatePacked(at, m)
}

func validatePacked(at string, m protoreflect.Message) error {
	if packed, ok := m.Interface().(*anypb.Any); ok {
		inside, err := packed.UnmarshalNew()
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		return validate(at, inside.ProtoReflect())
	}
	var first error
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		each(strings.TrimPrefix(at+"."+string(f.Name()), "."), m, f, func(at string, m protoreflect.Message) {
			if first == nil {
				first = validatePacked(at, m)
			}
		})
	}
	return first
}
