package lint

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

const aListener = "static_resources:\n  listeners:\n  - name: a\n"

func TestTextsThatCannotBeRead(t *testing.T) {
	for name, tc := range map[string]struct{ file, text, want string }{
		"empty JSON":            {"e.json", "", "e.json:1: no JSON: nothing is in it: correct it, or give YAML a name that ends in .yaml"},
		"empty YAML":            {"e.yaml", "", "e.yaml:1: nothing is in it"},
		"comments alone":        {"e.yml", "# x\n", "e.yml:1: nothing is in it"},
		"null":                  {"e.yaml", "~", "e.yaml:1: "},
		"a list":                {"e.yaml", "- a", "e.yaml:1: "},
		"a text":                {"e.json", `"a"`, "e.json:1: "},
		"no JSON":               {"e.json", "{\n\"node\": }", "e.json:2: no JSON: "},
		"cut off":               {"e.json", "{\n\"node\": {\n", "e.json:3: no JSON: "},
		"YAML by its ending":    {"e.json", "node:\n  id: x", "e.json:1: no JSON: "},
		"no ending":             {"e", "node:\n  id: x", "e:1: no JSON: "},
		"two values":            {"e.json", "{}\n{}", "e.json:2: no JSON: something stands behind the end"},
		"name twice":            {"e.json", "{\"node\":{},\n\n\"node\":{}}", "e.json:3: no JSON: duplicate object member name"},
		"name in another form":  {"e.json", "{\"header_prefix\":\"a\",\n\"headerPrefix\":\"b\"}", "e.json:2: duplicate field"},
		"bad UTF-8":             {"e.json", "{\"\xff\":1}", "e.json: it is not UTF-8"},
		"bad YAML":              {"e.yaml", "node:\n  id: [", "e.yaml:"},
		"a tab":                 {"e.yaml", "node:\n\tid: x", "e.yaml:2: no YAML: "},
		"two documents":         {"e.yaml", "node: {}\n---\nnode: {}", "e.yaml:2: a second document"},
		"bad second document":   {"e.yaml", "node: {}\n---\nnode: [", "e.yaml:"},
		"key twice":             {"e.yaml", "node:\n  id: a\n  id: b", `e.yaml:3: the key "id" is there twice`},
		"key twice in quotes":   {"e.yaml", "node:\n  id: a\n  \"id\": b", `e.yaml:3: the key "id" is there twice`},
		"alias":                 {"e.yaml", "node: &a {}\nadmin: *a", "e.yaml:1: anchors and aliases"},
		"merge":                 {"e.yaml", "node:\n  <<: {id: a}", "e.yaml:2: unknown field"},
		"ignored by Envoy":      {"e.yaml", "node: !ignore {}", "e.yaml:1: tags are not read here"},
		"key with a tag":        {"e.yaml", "!ignore node: {}", "e.yaml:1: a key must be a plain text"},
		"key that is a list":    {"e.yaml", "[a]: {}", "e.yaml:1: a key must be a plain text"},
		"other truth":           {"e.yaml", aListener + "    reuse_port: yes", `e.yaml:4: "yes": write true or false`},
		"truth in capitals":     {"e.yaml", aListener + "    reuse_port: TRUE", `e.yaml:4: "TRUE": write true or false`},
		"hexadecimal":           {"e.yaml", aListener + "    tcp_backlog_size: 0x10", `e.yaml:4: "0x10": write the number as decimal digits`},
		"octal":                 {"e.yaml", aListener + "    tcp_backlog_size: 010", `e.yaml:4: "010": write the number as decimal digits`},
		"unknown field":         {"e.yaml", "node: {}\n\nstatic:\n  x: 1", `e.yaml:3: unknown field "static"`},
		"unknown field in JSON": {"e.json", "{\n\n\"static\": 1}", `e.json:3: unknown field "static"`},
		"unknown enumeration":   {"e.yaml", aListener + "    drain_type: SOMETIMES", "e.yaml:4: invalid value for enum field"},
		"wrong type":            {"e.yaml", aListener + "    tcp_backlog_size: many", "e.yaml:4: invalid value for uint32"},
		"number for a text":     {"e.yaml", "node:\n  id: 5", "e.yaml:2: invalid value for string field id"},
		"no duration":           {"e.yaml", "stats_flush_interval: 5", "e.yaml:1: "},
		"packed without type":   {"e.yaml", "typed_dns_resolver_config:\n  name: x\n  typed_config: {a: b}", "e.yaml:3: "},
		"packed unknown field": {"e.yaml", aListener + "    filter_chains:\n    - filters:\n      - typed_config:\n" +
			"          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n" +
			"          stat_prefix: x\n          colour: red\n", `e.yaml:9: unknown field "colour"`},
		"packed invalid value": {"e.yaml", aListener + "    filter_chains:\n    - filters:\n      - name: x\n        typed_config:\n" +
			"          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n" +
			"          route_config: {}\n", "e.yaml: static_resources.listeners[0].filter_chains[0].filters[0].typed_config: invalid HttpConnectionManager.StatPrefix"},
		"invalid value": {"e.yaml", aListener + "    filter_chains:\n    - filters:\n      - {}\n", "e.yaml: invalid Bootstrap.StaticResources: "},
	} {
		r, err := Lint(tc.file, []byte(tc.text), inspected())
		if r != nil || err == nil || !strings.HasPrefix(err.Error(), tc.want) || strings.ContainsAny(err.Error(), "\n\u00a0") {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
	long := `{"node":{"id":"` + strings.Repeat("x", maxText) + `"}}`
	if _, err := Lint("e.json", []byte(long), nil); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("%v", err)
	}
}

// TestYAMLMeansWhatJSONMeans reads one configuration in both forms.
func TestYAMLMeansWhatJSONMeans(t *testing.T) {
	const asYAML = `# a comment
node: {id: "x", cluster: 'true', metadata: {a: 1.5, b: yes it is, c: null, d: [true, -3, 4294967296]}}
stats_flush_interval: 5.5s
stats_config:
  histogram_bucket_settings:
  - match: {exact: "1"}
    buckets: [0.5, 1, 1e3]
overload_manager:
  resource_monitors:
  - name: limit
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig
      max_active_downstream_connections: 5000000000
application_log_config:
  log_format:
    text_format: |
      two
      lines
admin:
`
	const asJSON = `{"node":{"id":"x","cluster":"true","metadata":{"a":"1.5","b":"yes it is","c":null,"d":[true,-3,"4294967296"]}},
"stats_flush_interval":"5.500s","stats_config":{"histogram_bucket_settings":[{"match":{"exact":"1"},"buckets":[0.5,1,1000]}]},
"overload_manager":{"resource_monitors":[{"name":"limit","typed_config":{"@type":"x/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
"max_active_downstream_connections":"5000000000"}}]},"application_log_config":{"log_format":{"text_format":"two\nlines\n"}}}`
	one, err := parse("e.yaml", []byte(asYAML))
	if err != nil {
		t.Fatal(err)
	}
	two, err := parse("e.json", []byte(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	// The type's URL may differ in its host, which means nothing.
	packed := one.OverloadManager.ResourceMonitors[0].GetTypedConfig()
	packed.TypeUrl = two.OverloadManager.ResourceMonitors[0].GetTypedConfig().TypeUrl
	if one.String() != two.String() {
		t.Errorf("\n%v\n%v", one, two)
	}
}

// TestUnknownTypesAreFoundWhereverTheyAre writes the type in forms that mean the
// same.
func TestUnknownTypesAreFoundWhereverTheyAre(t *testing.T) {
	for _, filter := range []string{
		`{"name":"x","typed_config":{"@type":"type.googleapis.com/example.Filter"}}`,
		`{"name":"x","typed_config":{"\u0040type":"type.googleapis.com/example.Filter","a":{"@type":"y"}}}`,
		`{"name":"x","typedConfig":{"a":[1],"@type":"elsewhere/example.Filter"}}`,
		`{"name":"x","typed_config":{"@type":"example.Filter"}}`,
	} {
		text := `{"static_resources":{"listeners":[{"name":"a","filter_chains":[{"filters":[` + filter + `]}]}]}}`
		for _, name := range []string{"e.json", "e.yaml"} {
			r, err := Lint(name, []byte(text), inspected())
			if err != nil {
				t.Errorf("%s: %v", text, err)
				continue
			}
			if !slices.ContainsFunc(r.Findings, func(f Finding) bool {
				return f.Rule == ruleNetworkFilter && f.Path == "static_resources.listeners[0].filter_chains[0].filters[0].typed_config"
			}) {
				t.Errorf("%s: %v", text, r.Findings)
			}
		}
	}
}

// FuzzLint checks that no text makes the linter fall over, that its answers are
// whole, and that what passes has a gate.
func FuzzLint(f *testing.F) {
	names, all := fixtures(f, fixtureFile)
	if len(all) < 100 {
		f.Fatalf("%d seeds", len(all))
	}
	for _, one := range all {
		text, err := json.Marshal(one.config(f, names))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(false, text)
	}
	f.Add(true, []byte(aListener))
	f.Add(true, []byte("node: &a {}\nadmin: !ignore *a\n---\n? [a]\n: b"))
	closed := rules(f)
	f.Fuzz(func(t *testing.T, asYAML bool, text []byte) {
		name := "e.json"
		if asYAML {
			name = "e.yaml"
		}
		r, err := Lint(name, text, inspected())
		if err != nil {
			if r != nil || strings.ContainsAny(err.Error(), "\n\r") && !strings.ContainsAny(string(text), "\n\r\\") {
				t.Errorf("%v, %q", r, err)
			}
			return
		}
		for _, found := range r.Findings {
			if found.Path == "" || found.Why == "" || !slices.Contains(closed, string(found.Rule)) {
				t.Errorf("%+v", found)
			}
		}
		if len(r.Findings) == 0 && r.Listeners > 0 {
			onlyGated(t, name, text)
		}
	})
}

// onlyGated checks by other means that what passes has a gate: by the names of
// all fields that are set.
func onlyGated(t *testing.T, name string, text []byte) {
	boot, err := parse(name, text)
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]int{}
	count(boot.ProtoReflect(), set)
	for _, field := range []string{
		"RouteAction.retry_policy", "ExternalProcessor.failure_mode_allow", "ExternalProcessor.observability_mode", "HttpFilter.disabled",
		"Route.typed_per_filter_config", "VirtualHost.typed_per_filter_config", "Bootstrap.dynamic_resources", "HttpConnectionManager.rds",
	} {
		if set[field] > 0 {
			t.Errorf("%s passes", field)
		}
	}
	if set["Route.route"] > 0 && (set["ExternalProcessor.processing_mode"] == 0 || set["ProcessingMode.response_body_mode"] == 0) {
		t.Error("a route without a processor passes")
	}
}

// count counts the fields that are set in m and in what is packed in it.
func count(m protoreflect.Message, set map[string]int) {
	if packed, ok := m.Interface().(*anypb.Any); ok {
		if inside, err := packed.UnmarshalNew(); err == nil {
			count(inside.ProtoReflect(), set)
		}
		return
	}
	m.Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		set[string(m.Descriptor().Name())+"."+string(f.Name())]++
		each("", m, f, func(_ string, m protoreflect.Message) { count(m, set) })
		return true
	})
}
