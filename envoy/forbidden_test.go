package envoy

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// forbidden are fields that must be set nowhere, by their names, whatever
// message they are in.
var forbidden = map[protoreflect.Name]string{
	"typed_per_filter_config":     "it can turn ext_proc off, or change its modes, for a route",
	"retry_policy":                "retries have duplicated bodies",
	"retry_policy_typed_config":   "retries have duplicated bodies",
	"hedge_policy":                "a body would be sent twice",
	"internal_redirect_policy":    "an upstream would choose another route",
	"internal_redirect_action":    "an upstream would choose another route",
	"request_mirror_policies":     "a copy of every body would go elsewhere",
	"upgrade_configs":             "an upgraded connection carries opaque bytes",
	"cluster_header":              "a header would choose where content goes",
	"cluster_specifier_plugin":    "a plugin would choose where content goes",
	"weighted_clusters":           "content goes to one upstream",
	"host_rewrite_header":         "a header would choose the host",
	"tracing":                     "spans of Envoy carry url, user agent and addresses",
	"access_log":                  "it would tell of requests",
	"rds":                         "routes are attested",
	"scoped_routes":               "routes are attested",
	"vhds":                        "routes are attested",
	"ads_config":                  "the configuration is attested",
	"config_discovery":            "filters are attested",
	"failure_mode_allow":          "what a dead processor did not see would pass",
	"async_mode":                  "it never waits for a verdict",
	"disabled":                    "a filter that is off",
	"is_optional":                 "a filter that may be left out",
	"private_key":                 "a key in a file",
	"private_key_provider":        "a key elsewhere",
	"filename":                    "a file can change while Envoy runs",
	"environment_variable":        "Envoy has no environment",
	"trust_chain_verification":    "an upstream that is not known",
	"allow_expired_certificate":   "an upstream whose certificate has expired",
	"only_verify_leaf_cert_crl":   "not meant",
	"original_dst_lb_config":      "a header would choose where content goes",
	"processing_request_modifier": "it changes what is seen",
}

// packedTypes are those of all that is packed in a bootstrap.
var packedTypes = map[string]bool{
	"envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager":        true,
	"envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor":                              true,
	"envoy.extensions.filters.http.router.v3.Router":                                           true,
	"envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext":                           true,
	"envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext":                             true,
	"envoy.extensions.upstreams.http.v3.HttpProtocolOptions":                                   true,
	"envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig": true,
	"envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig":                         true,
	"envoy.config.overload.v3.ScaleTimersOverloadActionConfig":                                 true,
}

// walk calls visit for each field that is set in m and in what m holds, packed
// or not.
func walk(t *testing.T, path string, m protoreflect.Message, visit func(path string, f protoreflect.FieldDescriptor)) {
	t.Helper()
	if packed, ok := m.Interface().(*anypb.Any); ok {
		if name := string(packed.MessageName()); !packedTypes[name] {
			t.Errorf("%s: a %s is not expected here", path, name)
		}
		inside, err := packed.UnmarshalNew()
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		m = inside.ProtoReflect()
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		at := path + "." + string(f.Name())
		visit(at, f)
		switch {
		case f.IsMap():
			if f.MapValue().Message() != nil {
				v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
					walk(t, at+"."+k.String(), v.Message(), visit)
					return true
				})
			}
		case f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				walk(t, at, v.List().Get(i).Message(), visit)
			}
		default:
			walk(t, at, v.Message(), visit)
		}
		return true
	})
}

func TestForbiddenFields(t *testing.T) {
	for name, s := range both(t) {
		seen := map[protoreflect.Name]int{}
		walk(t, name, mustBootstrap(t, s).ProtoReflect(), func(path string, f protoreflect.FieldDescriptor) {
			seen[f.Name()]++
			if why, ok := forbidden[f.Name()]; ok {
				t.Errorf("%s is set: %s", path, why)
			}
			if f.Options() != nil && isDeprecated(f) {
				t.Errorf("%s is deprecated", path)
			}
		})
		// The walk must reach what is packed in what is packed.
		if seen["processing_mode"] != 1 || seen["sds_config"] != 1 || seen["connection_keepalive"] != 2 {
			t.Errorf("%s: the walk does not see all: %v", name, seen)
		}
	}
}

func isDeprecated(f protoreflect.FieldDescriptor) bool {
	o, ok := f.Options().(interface{ GetDeprecated() bool })
	return ok && o.GetDeprecated()
}

// TestForbiddenFieldsAreFound turns one on, where the walk must see it.
func TestForbiddenFieldsAreFound(t *testing.T) {
	b := &builder{s: settings()}
	proc := externalProcessor()
	proc.FailureModeAllow = true
	found := false
	walk(t, "", b.any(proc).ProtoReflect(), func(_ string, f protoreflect.FieldDescriptor) {
		found = found || f.Name() == "failure_mode_allow"
	})
	if !found || b.err != nil || !proto.Equal(b.any(proc), b.any(proc)) {
		t.Error("failure_mode_allow: true is not seen")
	}
}
