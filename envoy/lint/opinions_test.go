package lint

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const opinionFile = "testdata/opinions.txt"

// TestOpinions pins what is thought of every field of every message: a line for
// each, to be read by whoever changes a table. "any" is not looked at, "own table"
// is walked into, and of the others it says by which rule a value is refused.
func TestOpinions(t *testing.T) {
	tables := map[string]table{}
	for _, topic := range topics() {
		maps.Copy(tables, topic)
	}
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		fmt.Fprintf(&out, "%s\n", name)
		d := descriptor(t, name)
		for i := range d.Fields().Len() {
			f := d.Fields().Get(i)
			if said := thought(t, tables[name], f); said != "" {
				fmt.Fprintf(&out, "  %s: %s\n", f.Name(), said)
			}
		}
	}
	if *update {
		if err := os.WriteFile(opinionFile, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(opinionFile)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(out.String(), "\n")
	for i, line := range strings.Split(string(want), "\n") {
		if i >= len(got) || got[i] != line {
			t.Fatalf("%s:%d: an opinion has changed from %q; if that is meant: go test ./envoy/lint -run Opinions -update", opinionFile, i+1, line)
		}
	}
}

func thought(t *testing.T, tab table, f protoreflect.FieldDescriptor) string {
	t.Helper()
	name := string(f.Name())
	if slices.Contains(strings.Fields(tab.free), name) {
		return "any"
	}
	if slices.Contains(strings.Fields(tab.walk), name) {
		return "own table"
	}
	for _, d := range tab.judged {
		if !slices.Contains(strings.Fields(d.fields), name) {
			continue
		}
		var said []string
		for _, s := range samples(f) {
			j := newJudge(new(bootstrapv3.Bootstrap), nil)
			m := dynamicpb.NewMessage(f.ContainingMessage())
			if s.value.IsValid() {
				m.Set(f, s.value)
			}
			d.opinion(j, name, typed(t, m), f)
			if len(j.findings) > 0 {
				said = append(said, s.name+" "+string(j.findings[0].Rule))
			}
		}
		if said == nil {
			return "judged by what is in it"
		}
		return "refuses " + strings.Join(said, ", ")
	}
	return ""
}

// typed is the message in its Go type, with that type's descriptors.
func typed(t *testing.T, m *dynamicpb.Message) protoreflect.Message {
	t.Helper()
	raw, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	into := messageType(t, m.Descriptor()).New()
	if err := proto.Unmarshal(raw, into.Interface()); err != nil {
		t.Fatal(err)
	}
	return into
}

type sample struct {
	name  string
	value protoreflect.Value // not valid: unset
}

// samples are values of a field that an opinion may differ on.
func samples(f protoreflect.FieldDescriptor) []sample {
	all := []sample{{name: "unset"}}
	add := func(name string, v protoreflect.Value) {
		m := dynamicpb.NewMessage(f.ContainingMessage())
		switch {
		case f.IsMap():
			v = m.NewField(f)
			v.Map().Set(protoreflect.ValueOfString("key").MapKey(), v.Map().NewValue())
		case f.IsList():
			list := m.NewField(f)
			list.List().Append(v)
			v = list
		}
		all = append(all, sample{name, v})
	}
	one := func(text proto.Message) protoreflect.Value {
		raw, _ := proto.Marshal(text)
		m := dynamicpb.NewMessage(f.Message())
		_ = proto.Unmarshal(raw, m)
		return protoreflect.ValueOfMessage(m)
	}
	switch {
	case f.IsMap():
		add("set", protoreflect.Value{})
	case f.Enum() != nil:
		for i := range f.Enum().Values().Len() {
			v := f.Enum().Values().Get(i)
			add(string(v.Name()), protoreflect.ValueOfEnum(v.Number()))
		}
	case f.Message() == nil:
		switch f.Kind() {
		case protoreflect.BoolKind:
			add("true", protoreflect.ValueOfBool(true))
		case protoreflect.StringKind:
			add("text", protoreflect.ValueOfString("x%REQ(x)%"))
		case protoreflect.BytesKind:
			add("bytes", protoreflect.ValueOfBytes([]byte("x%REQ(x)%")))
		case protoreflect.Uint32Kind:
			add("number", protoreflect.ValueOfUint32(1))
		default: // no opinion differs on one
		}
	default:
		switch f.Message().FullName() {
		case "google.protobuf.BoolValue":
			add("true", one(wrapperspb.Bool(true)))
			add("false", one(wrapperspb.Bool(false)))
		case "google.protobuf.Duration":
			add("0s", one(durationpb.New(0)))
			add("1s", one(durationpb.New(1e9)))
		case "google.protobuf.Struct":
			add("text", one(&structpb.Struct{Fields: map[string]*structpb.Value{"a": structpb.NewStringValue("%REQ(x)%")}}))
		default:
			add("set", protoreflect.ValueOfMessage(dynamicpb.NewMessage(f.Message())))
		}
	}
	return all
}
