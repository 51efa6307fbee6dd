package lint

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

func descriptor(t *testing.T, name string) protoreflect.MessageDescriptor {
	t.Helper()
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return d.(protoreflect.MessageDescriptor)
}

func messageType(t *testing.T, d protoreflect.MessageDescriptor) protoreflect.MessageType {
	t.Helper()
	m, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// partial are messages with fields that are judged by being in no table.
var partial = map[string]bool{
	"envoy.config.core.v3.HealthCheck":                 true,
	"envoy.config.core.v3.HealthCheck.TcpHealthCheck":  true,
	"envoy.config.core.v3.HealthCheck.HttpHealthCheck": true,
	"envoy.config.cluster.v3.OutlierDetection":         true,
	"envoy.config.cluster.v3.Cluster.CommonLbConfig":   true,
}

// TestEveryFieldHasAnOpinion fails when a new version of Envoy's API has a field
// that nobody has thought about. Until then the linter refuses it.
func TestEveryFieldHasAnOpinion(t *testing.T) {
	tables := compile()
	for name, o := range tables {
		fields := descriptor(t, name).Fields()
		for i := range fields.Len() {
			if f := string(fields.Get(i).Name()); o.field[f] == nil && !partial[name] {
				t.Errorf("%s.%s: no opinion", name, f)
			}
		}
		for f := range o.field {
			if fields.ByName(protoreflect.Name(f)) == nil {
				t.Errorf("%s.%s: there is no such field", name, f)
			}
		}
	}
	for _, name := range []string{
		"config.bootstrap.v3.Bootstrap", "config.listener.v3.Listener", "config.listener.v3.FilterChain", "config.cluster.v3.Cluster",
		"config.route.v3.RouteConfiguration", "config.route.v3.VirtualHost", "config.route.v3.Route", "config.route.v3.RouteAction",
		"extensions.filters.http.ext_proc.v3.ExternalProcessor", "extensions.filters.http.ext_proc.v3.ProcessingMode",
		"extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
	} {
		if name = "envoy." + name; tables[name].field == nil || partial[name] {
			t.Errorf("%s must have a whole table", name)
		}
	}
}

// TestEachFieldOnce fails where two opinions of a field stand in one table.
func TestEachFieldOnce(t *testing.T) {
	for _, topic := range topics() {
		for name, table := range topic {
			seen := map[string]bool{}
			for _, d := range append([]judgement{{table.free, nil}, {table.walk, nil}}, table.judged...) {
				for _, f := range strings.Fields(d.fields) {
					if seen[f] {
						t.Errorf("%s.%s is there twice", name, f)
					}
					seen[f] = true
				}
			}
		}
	}
}

// TestWalkedMessagesHaveTables fails where the judge would walk into a message
// of which it knows nothing.
func TestWalkedMessagesHaveTables(t *testing.T) {
	tables := compile()
	for _, topic := range topics() {
		for name, table := range topic {
			for _, f := range strings.Fields(table.walk) {
				field := descriptor(t, name).Fields().ByName(protoreflect.Name(f))
				if field.Message() == nil {
					t.Errorf("%s.%s is walked and holds no message", name, f)
				} else if tables[string(field.Message().FullName())].field == nil {
					t.Errorf("%s.%s: no table for %s", name, f, field.Message().FullName())
				}
			}
		}
	}
}

// loaders can bring in what nobody judged.
var loaders = map[protoreflect.FullName]bool{
	"google.protobuf.Any":                   true,
	"envoy.config.core.v3.DataSource":       true,
	"envoy.config.core.v3.ConfigSource":     true,
	"envoy.config.core.v3.ApiConfigSource":  true,
	"envoy.config.core.v3.WatchedDirectory": true,
	"envoy.config.core.v3.GrpcService":      true,
	"xds.type.matcher.v3.Matcher":           true,
}

// TestFreeFieldsAreFree fails where a field that may hold anything could hold an
// extension, a file or a server.
func TestFreeFieldsAreFree(t *testing.T) {
	var reaches func(d protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) string
	reaches = func(d protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) string {
		// Filters read metadata; none of those that are allowed does.
		if d == nil || seen[d.FullName()] || d.FullName() == "envoy.config.core.v3.Metadata" {
			return ""
		}
		seen[d.FullName()] = true
		if loaders[d.FullName()] {
			return string(d.FullName())
		}
		for i := range d.Fields().Len() {
			if found := reaches(d.Fields().Get(i).Message(), seen); found != "" {
				return found
			}
		}
		return ""
	}
	for _, topic := range topics() {
		for name, table := range topic {
			if name == "envoy.extensions.transport_sockets.tls.v3.TlsCertificate" {
				continue // the operator's key may be in a file
			}
			for _, f := range strings.Fields(table.free) {
				d := descriptor(t, name).Fields().ByName(protoreflect.Name(f))
				if found := reaches(d.Message(), map[protoreflect.FullName]bool{}); found != "" {
					t.Errorf("%s.%s can hold a %s", name, f, found)
				}
			}
		}
	}
}
