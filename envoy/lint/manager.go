package lint

import (
	"fmt"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"
)

const (
	whyClientTrust = "a client would be taken for one of ours, and its x-envoy-* and x-request-id headers for good"
	whyCodec       = "the processor and the upstream could see different requests"
	whyPath        = "the path that is judged must be the one that the client sent"
	whyFilterOff   = "a filter that is left out sees nothing"
)

func managerTables() map[string]table {
	return map[string]table{
		nameOf(&hcmv3.HttpConnectionManager{}): {
			free: "stat_prefix add_user_agent http1_safe_max_connection_duration server_name server_header_transformation " +
				"scheme_header_transformation max_request_headers_kb stream_flush_timeout request_timeout request_headers_timeout " +
				"drain_timeout drain_timeout_jitter delayed_close_timeout skip_xff_append via generate_request_id " +
				"represent_ipv4_remote_address_as_ipv4_mapped_ipv6 strip_matching_host_port strip_any_host_port " +
				"stream_error_on_invalid_http_message strip_trailing_host_dot append_x_forwarded_port append_local_overload " +
				"add_proxy_protocol_connection_state record_route_resolution_stats",
			walk: "route_config http_filters common_http_protocol_options http_protocol_options http2_protocol_options local_reply_config",
			judged: []judgement{
				{"rds scoped_routes", refuse(ruleDynamicConfig, whyDynamic)},
				{"tracing", refuse(ruleTracing, whyTracing)},
				{"access_log access_log_flush_interval flush_access_log_on_new_request access_log_options", refuse(ruleAccessLog, whyAccessLog)},
				{"codec_type", must(ruleHTTPVersion, "HTTP/3 has not been tried with ext_proc: want AUTO, HTTP1 or HTTP2", is("AUTO", "HTTP1", "HTTP2"))},
				{"http3_protocol_options", refuse(ruleHTTPVersion, "HTTP/3 has not been tried with ext_proc")},
				{"upgrade_configs", refuse(ruleUpgrade, "an upgraded connection carries bytes that nobody can read")},
				{"stream_idle_timeout", must(ruleIdleTimeout, "a stream that stands still would be kept for ever", unsetOr(above0))},
				{"use_remote_address", must(ruleClientTrust, whyClientTrust+": want true", is(true))},
				{"xff_num_trusted_hops original_ip_detection_extensions internal_address_config forward_proto_config",
					refuse(ruleClientTrust, whyClientTrust)},
				{"preserve_external_request_id always_set_request_id_in_response request_id_extension",
					refuse(ruleRequestID, "the id of a verdict is the processor's, not the client's")},
				{"forward_client_cert_details", must(ruleClientTrust, whyClientTrust, is("SANITIZE"))},
				{"set_current_client_cert_details proxy_status_config", notAllowed()},
				{"forward_client_cert_matcher", refuse(ruleMatcherTree, "a tree of matchers is not judged")},
				{"proxy_100_continue", refuse(ruleContinue, "the upstream would answer before the body is judged")},
				{"normalize_path", must(rulePathRewrite, whyPath+": want false", is(false))},
				{"merge_slashes path_normalization_options", refuse(rulePathRewrite, whyPath)},
				{"path_with_escaped_slashes_action", must(rulePathRewrite, whyPath,
					is("IMPLEMENTATION_SPECIFIC_DEFAULT", "KEEP_UNCHANGED", "REJECT_REQUEST"))},
				{"early_header_mutation_extensions typed_header_validation_config", refuse(ruleExtension, whyExtension)},
			},
			whole: manager,
		},
		"envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter": {
			free: "name",
			judged: []judgement{
				{"typed_config", packs(ruleHTTPFilter, whyNoFilter, nameOf(&extprocv3.ExternalProcessor{}), nameOf(&routerv3.Router{}))},
				{"config_discovery", refuse(ruleDynamicConfig, whyDynamic)},
				{"is_optional disabled", refuse(ruleFilterOff, whyFilterOff)},
			},
		},
		nameOf(&routerv3.Router{}): {
			free: "dynamic_stats suppress_envoy_headers strict_check_headers suppress_grpc_request_failure_code_stats reject_connect_request_early_data",
			judged: []judgement{
				{"start_child_span", refuse(ruleTracing, whyTracing)},
				{"upstream_log upstream_log_options", refuse(ruleAccessLog, whyAccessLog)},
				{"upstream_http_filters", refuse(ruleUpstreamFilter, "it stands behind ext_proc, so what it changes is not seen")},
				{"respect_expected_rq_timeout", notAllowed()},
			},
		},
	}
}

// manager judges what only the connection manager as a whole shows.
func manager(j *judge, at string, m proto.Message) {
	h := m.(*hcmv3.HttpConnectionManager)
	var kinds []string
	processors := 0
	for _, f := range h.GetHttpFilters() {
		kind := typeName(f.GetTypedConfig())
		kinds = append(kinds, kind)
		if kind == nameOf(&extprocv3.ExternalProcessor{}) {
			processors++
		}
	}
	ordered := len(kinds) > 0 && kinds[0] == nameOf(&extprocv3.ExternalProcessor{})
	switch upstream := routesUpstream(h.GetRouteConfig()); {
	case processors > 1:
		j.find(at+".http_filters", ruleOneProcessor, "two ext_proc in one chain lose data: want one")
	case upstream && processors == 0:
		j.find(at+".http_filters", ruleOneProcessor, "bodies go to the upstream and back unseen: want one ext_proc before the router")
	case upstream && !ordered:
		j.find(at+".http_filters", ruleOneProcessor, "what stands before ext_proc can take a body elsewhere: want it first")
	}
	if absolute := h.GetHttpProtocolOptions().GetAllowAbsoluteUrl(); absolute == nil || absolute.GetValue() {
		j.find(at+".http_protocol_options.allow_absolute_url", ruleHTTPCodec, "Envoy rewrites a request in absolute form before it is judged: want false")
	}
	switch h.GetCommonHttpProtocolOptions().GetHeadersWithUnderscoresAction() {
	case corev3.HttpProtocolOptions_REJECT_REQUEST, corev3.HttpProtocolOptions_DROP_HEADER:
	default:
		j.find(at+".common_http_protocol_options.headers_with_underscores_action", ruleUnderscores,
			"many servers read content_type as content-type, which the processor does not: want REJECT_REQUEST")
	}
}

func routesUpstream(c *routev3.RouteConfiguration) bool {
	for _, h := range c.GetVirtualHosts() {
		for _, r := range h.GetRoutes() {
			if r.GetRoute() != nil {
				return true
			}
		}
	}
	return false
}

// whyNoFilter words why an http filter must not be there. Rate limits, access
// control and the like belong into an Envoy in front of this one.
func whyNoFilter(typeName string) string {
	kind := strings.TrimPrefix(typeName, "envoy.extensions.filters.http.")
	kind, _, _ = strings.Cut(kind, ".")
	why, ok := map[string]string{
		"lua":                   "a script can read, change and send bodies",
		"wasm":                  "a program can read, change and send bodies",
		"golang":                "a program can read, change and send bodies",
		"dynamic_modules":       "a program can read, change and send bodies",
		"composite":             "it chooses filters by what a client sends",
		"filter_chain":          "it chooses filters by what a client sends",
		"common":                "a matcher leaves filters out by what a client sends",
		"ext_authz":             "it can send bodies to another server, and change headers",
		"compressor":            "the processor cannot read what is compressed",
		"decompressor":          "the processor and the client would see different bytes",
		"gzip":                  "the processor cannot read what is compressed",
		"buffer":                "it holds bodies, and answers by itself where they are long",
		"file_system_buffer":    "it writes bodies to files",
		"tap":                   "it writes bodies to files or sends them to the admin",
		"cache":                 "it keeps answers and gives them to others",
		"cache_v2":              "it keeps answers and gives them to others",
		"on_demand":             "it fetches routes and clusters that nobody judged",
		"custom_response":       "it replaces answers by those of another server",
		"aws_lambda":            "it sends bodies to another server",
		"dynamic_forward_proxy": "a client would choose where bodies go",
		"stateful_session":      "a client would choose where bodies go",
		"health_check":          "it answers by itself, and can be made to keep the answer of an upstream",
		"header_mutation":       "it can change headers that the processor has judged, or will",
		"set_filter_state":      "it can turn off or steer other filters",
		"local_ratelimit":       "it answers by itself: put it into an Envoy in front",
		"ratelimit":             "it sends descriptors of requests to another server",
		"rbac":                  "it answers by itself: put it into an Envoy in front",
		"jwt_authn":             "it fetches keys and can take headers away: put it into an Envoy in front",
		"cors":                  "it answers by itself: put it into an Envoy in front",
	}[kind]
	switch {
	case ok:
		return why
	case strings.HasPrefix(kind, "grpc_") || strings.HasPrefix(kind, "connect_grpc"):
		return "it rewrites bodies"
	default:
		return fmt.Sprintf("what a %q does to a body is not known: want ext_proc and the router alone", typeName)
	}
}
