package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// table says what is thought of each field of one message.
type table struct {
	free   string // fields that may hold anything
	walk   string // fields whose messages have tables of their own
	judged []judgement
	whole  func(j *judge, at string, m proto.Message) // of several fields together
}

// judgement is what is thought of some fields.
type judgement struct {
	fields string
	opinion
}

// opinion judges one field of m, set or not.
type opinion func(j *judge, at string, m protoreflect.Message, f protoreflect.FieldDescriptor)

// opinions is a table by the field's name.
type opinions struct {
	field map[string]opinion
	whole func(j *judge, at string, m proto.Message)
}

// topics are the tables of each file.
func topics() []map[string]table {
	return []map[string]table{
		bootstrapTables(), listenerTables(), tlsTables(), managerTables(), replyTables(),
		processorTables(), routeTables(), clusterTables(), protocolTables(), addressTables(), matcherTables(), statsTables(),
	}
}

// compile puts all tables together.
func compile() map[string]opinions {
	all := make(map[string]opinions)
	for _, topic := range topics() {
		for name, t := range topic {
			o := opinions{make(map[string]opinion), t.whole}
			for _, d := range append([]judgement{{t.free, free}, {t.walk, descend}}, t.judged...) {
				for _, field := range strings.Fields(d.fields) {
					o.field[field] = d.opinion
				}
			}
			all[name] = o
		}
	}
	return all
}

// message judges m, which is at a path.
func (j *judge) message(at string, m protoreflect.Message) {
	o := j.tables[string(m.Descriptor().FullName())]
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		under := strings.TrimPrefix(at+"."+string(f.Name()), ".")
		if judged, ok := o.field[string(f.Name())]; ok {
			judged(j, under, m, f)
		} else if m.Has(f) {
			j.find(under, ruleUnjudgedField, "nobody has judged what this field does to a body")
		}
	}
	if o.whole != nil {
		o.whole(j, at, m.Interface())
	}
}

// each calls visit for every message in a field.
func each(at string, m protoreflect.Message, f protoreflect.FieldDescriptor, visit func(at string, m protoreflect.Message)) {
	v := m.Get(f)
	switch {
	case !m.Has(f):
	case f.IsMap() && f.MapValue().Message() != nil:
		values := make(map[string]protoreflect.Message)
		v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
			values[k.String()] = v.Message()
			return true
		})
		for _, k := range slices.Sorted(maps.Keys(values)) {
			visit(fmt.Sprintf("%s[%q]", at, k), values[k])
		}
	case f.IsMap() || f.Message() == nil:
	case f.IsList():
		for i := range v.List().Len() {
			visit(fmt.Sprintf("%s[%d]", at, i), v.List().Get(i).Message())
		}
	default:
		visit(at, v.Message())
	}
}

// typeName is the name of what is packed, also of a type that is not known: see
// node.stand.
func typeName(packed *anypb.Any) string {
	name := string(packed.MessageName())
	if held := new(structpb.Struct); packed.UnmarshalTo(held) == nil {
		if _, unknown, ok := strings.Cut(held.GetFields()["@type"].GetStringValue(), "/"); ok {
			return unknown
		}
	}
	return name
}
