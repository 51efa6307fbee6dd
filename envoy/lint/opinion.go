package lint

import (
	"slices"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// free lets a field hold anything.
func free(*judge, string, protoreflect.Message, protoreflect.FieldDescriptor) {}

// descend judges what a field holds by its own table.
func descend(j *judge, at string, m protoreflect.Message, f protoreflect.FieldDescriptor) {
	each(at, m, f, j.message)
}

// refuse finds a field that is set, if not to false.
func refuse(rule Rule, why string) opinion {
	return func(j *judge, at string, m protoreflect.Message, f protoreflect.FieldDescriptor) {
		if m.Has(f) && value(m, f) != false {
			j.find(at, rule, why)
		}
	}
}

// notAllowed finds a field that is set and has been left out on purpose, since
// nobody needs it on the way to a model.
func notAllowed() opinion {
	return refuse(ruleNotAllowed, "it is not needed on the way to a model, and what it does to a body is not judged")
}

// present finds a field that is not set, and descends into one that is.
func present(rule Rule, why string) opinion {
	return func(j *judge, at string, m protoreflect.Message, f protoreflect.FieldDescriptor) {
		if !m.Has(f) {
			j.find(at, rule, why)
		}
		descend(j, at, m, f)
	}
}

// must finds a value that is not as it should be.
func must(rule Rule, why string, ok func(v any) bool) opinion {
	return func(j *judge, at string, m protoreflect.Message, f protoreflect.FieldDescriptor) {
		if !ok(value(m, f)) {
			j.find(at, rule, why)
		}
	}
}

// value is what a field holds, free of Envoy's wrappers: an enumeration by its
// name, a duration as Go's, and nil where a message is not set.
func value(m protoreflect.Message, f protoreflect.FieldDescriptor) any {
	v := m.Get(f)
	switch {
	case f.Enum() != nil && !f.IsList():
		if named := f.Enum().Values().ByNumber(v.Enum()); named != nil {
			return string(named.Name())
		}
		return v.Enum() // not all are validated before
	case f.Message() == nil || f.IsList() || f.IsMap():
		return v.Interface()
	case !m.Has(f):
		return nil
	}
	switch v := v.Message().Interface().(type) {
	case *wrapperspb.BoolValue:
		return v.GetValue()
	case *wrapperspb.UInt32Value:
		return v.GetValue()
	case *durationpb.Duration:
		return v.AsDuration()
	default:
		return v
	}
}

func is(values ...any) func(any) bool {
	return func(v any) bool { return slices.Contains(values, v) }
}

func above0(v any) bool {
	d, ok := v.(time.Duration)
	return ok && d > 0
}

// unsetOr accepts what is not set.
func unsetOr(ok func(any) bool) func(any) bool {
	return func(v any) bool { return v == nil || ok(v) }
}

// packs judges what is packed in a field: it must be of one of the types. why
// words the finding for another.
func packs(rule Rule, why func(typeName string) string, types ...string) opinion {
	return func(j *judge, at string, m protoreflect.Message, f protoreflect.FieldDescriptor) {
		if !m.Has(f) {
			j.find(at, rule, "without it Envoy goes by the name, which says nothing")
		}
		each(at, m, f, func(at string, m protoreflect.Message) {
			packed, ok := m.Interface().(*anypb.Any)
			if !ok {
				return
			}
			name := typeName(packed)
			inside, err := packed.UnmarshalNew()
			if err != nil || !slices.Contains(types, name) {
				j.find(at, rule, why(name))
				return
			}
			j.message(at, inside.ProtoReflect())
		})
	}
}

// whenSet has an opinion only on a field that is set.
func whenSet(o opinion) opinion {
	return func(j *judge, at string, m protoreflect.Message, f protoreflect.FieldDescriptor) {
		if m.Has(f) {
			o(j, at, m, f)
		}
	}
}

// saying words every finding in the same way.
func saying(why string) func(string) string { return func(string) string { return why } }
