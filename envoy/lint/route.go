package lint

import (
	"fmt"
	"slices"
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const (
	whyPerRoute = "it can turn ext_proc off, or change its modes, for some requests"
	whyRetry    = "retries have sent bodies twice and out of order"
	whyHedge    = "a body would be sent twice"
	whyMirror   = "a copy of every request would go elsewhere, and its response is not seen"
	whyChoice   = "a request would choose where it goes"
	whyRewrite  = "the upstream would get a path or host that was not judged"
	whyTree     = "a tree of matchers is not judged: use routes"
	whyHeaders  = "it happens behind ext_proc, and these headers say what a body is"
)

// perRoute are fields that mean the same on every level.
func perRoute() []judgement {
	return []judgement{
		{"typed_per_filter_config", refuse(rulePerRoute, whyPerRoute)},
		{"request_headers_to_add", requestHeaders},
		{"request_headers_to_remove", refuse(ruleHeaderChanges, whyHeaders)},
	}
}

func routeTables() map[string]table {
	resending := []judgement{
		{"retry_policy retry_policy_typed_config", refuse(ruleRetry, whyRetry)},
		{"hedge_policy", refuse(ruleHedge, whyHedge)},
		{"request_mirror_policies", refuse(ruleMirror, whyMirror)},
	}
	return map[string]table{
		"envoy.config.route.v3.RouteConfiguration": {
			free: "name internal_only_headers response_headers_to_remove most_specific_header_mutations_wins validate_clusters " +
				"max_direct_response_body_size_bytes ignore_port_in_host_matching metadata",
			walk: "virtual_hosts response_headers_to_add",
			judged: append(perRoute(), []judgement{
				{"vhds", refuse(ruleDynamicConfig, whyDynamic)},
				{"cluster_specifier_plugins", refuse(ruleClusterChoice, whyChoice)},
				{"request_mirror_policies", refuse(ruleMirror, whyMirror)},
				{"ignore_path_parameters_in_path_matching", refuse(ruleRoutePath, "a path would match that is not the one of an inspected API")},
				{"vhost_header", notAllowed()},
				{"route_specifiers", refuse(ruleExtension, whyExtension)},
			}...),
		},
		"envoy.config.route.v3.VirtualHost": {
			free: "name domains require_tls response_headers_to_remove include_request_attempt_count include_attempt_count_in_response " +
				"include_is_timeout_retry_header per_request_buffer_limit_bytes request_body_buffer_limit metadata",
			walk: "routes response_headers_to_add",
			judged: slices.Concat(perRoute(), resending, []judgement{
				{"matcher", refuse(ruleMatcherTree, whyTree)},
				{"route_specifiers", refuse(ruleExtension, whyExtension)},
				{"virtual_clusters rate_limits cors", notAllowed()},
			}),
		},
		"envoy.config.route.v3.Route": {
			free: "name metadata response_headers_to_remove per_request_buffer_limit_bytes request_body_buffer_limit stat_prefix",
			walk: "match route redirect direct_response response_headers_to_add",
			judged: append(perRoute(), []judgement{
				{"filter_action non_forwarding_action", refuse(ruleClusterChoice, "it hands requests to something that is not judged")},
				{"decorator tracing", refuse(ruleTracing, whyTracing)},
				{"route_specifiers", refuse(ruleExtension, whyExtension)},
			}...),
			whole: routePath,
		},
		// Whatever narrows a match leaves the request to another route, which is
		// judged as well.
		"envoy.config.route.v3.RouteMatch": {
			free: "prefix path safe_regex path_separated_prefix case_sensitive runtime_fraction grpc tls_context",
			walk: "headers query_parameters cookies",
			judged: []judgement{
				{"connect_matcher", refuse(ruleUpgrade, "a tunnel carries bytes that nobody can read")},
				{"path_match_policy", refuse(ruleExtension, whyExtension)},
				{"dynamic_metadata filter_state", notAllowed()},
			},
		},
		"envoy.config.route.v3.RouteAction": {
			free: "cluster_not_found_response_code metadata_match prefix_rewrite host_rewrite_literal auto_host_rewrite append_x_forwarded_host " +
				"timeout flush_timeout priority hash_policy max_stream_duration include_vh_rate_limits",
			walk: "weighted_clusters",
			judged: append(resending, []judgement{
				{"cluster", routed},
				{"cluster_header cluster_specifier_plugin inline_cluster_specifier_plugin", refuse(ruleClusterChoice, whyChoice)},
				{"regex_rewrite path_rewrite_policy path_rewrite host_rewrite_header host_rewrite_path_regex host_rewrite", refuse(ruleRewrite, whyRewrite)},
				{"idle_timeout", must(ruleIdleTimeout, "a stream that stands still would be kept for ever", unsetOr(above0))},
				{"early_data_policy", refuse(ruleExtension, whyExtension)},
				{"upgrade_configs", refuse(ruleUpgrade, "an upgraded connection carries bytes that nobody can read")},
				{"internal_redirect_policy internal_redirect_action max_internal_redirects", refuse(ruleInternalRedirect, "an upstream would choose another route")},
				{"rate_limits cors max_grpc_timeout grpc_timeout_offset", notAllowed()},
			}...),
		},
		"envoy.config.route.v3.WeightedCluster": {
			free: "total_weight runtime_key_prefix use_hash_policy",
			walk: "clusters",
			judged: []judgement{
				{"header_name", refuse(ruleClusterChoice, whyChoice)},
			},
		},
		"envoy.config.route.v3.WeightedCluster.ClusterWeight": {
			free: "weight metadata_match response_headers_to_remove host_rewrite_literal",
			walk: "response_headers_to_add",
			judged: append(perRoute(), []judgement{
				{"name", routed},
				{"cluster_header", refuse(ruleClusterChoice, whyChoice)},
			}...),
		},
		"envoy.config.route.v3.RedirectAction": {
			free: "https_redirect port_redirect path_redirect prefix_rewrite response_code strip_query",
			judged: []judgement{
				{"host_redirect scheme_redirect regex_rewrite path_rewrite", refuse(ruleRedirect, "the client would send its body elsewhere")},
			},
		},
		"envoy.config.route.v3.DirectResponseAction": {
			free: "status",
			walk: "body body_format",
		},
	}
}

// routePath wants a route to an upstream to match one inspected path exactly.
func routePath(j *judge, at string, m proto.Message) {
	r := m.(*routev3.Route)
	if r.GetRoute() == nil {
		return
	}
	if to := r.GetRoute().GetPrefixRewrite(); to != "" && !strings.HasSuffix(to, r.GetMatch().GetPath()) {
		j.find(at+".route.prefix_rewrite", ruleRewrite, "a body that was judged as one API's would go to another: want a prefix before the same path")
	}
	match, ok := r.GetMatch().GetPathSpecifier().(*routev3.RouteMatch_Path)
	if sensitive := r.GetMatch().GetCaseSensitive(); !ok || sensitive != nil && !sensitive.GetValue() || !slices.Contains(j.paths, match.Path) {
		j.find(at+".match", ruleRoutePath, "only inspected paths may reach an upstream: want an exact path of "+strings.Join(j.paths, ", "))
	}
}

// routed notes that a route leads to a cluster.
func routed(j *judge, at string, m protoreflect.Message, f protoreflect.FieldDescriptor) {
	if !m.Has(f) {
		return
	}
	name := m.Get(f).String()
	if _, ok := j.cluster(name); !ok {
		j.find(at, ruleUnknownCluster, "there is no such cluster to be judged")
	}
	if _, ok := j.routed[name]; !ok {
		j.routed[name] = at
	}
}

// requestHeaders lets a route add credentials for the upstream and nothing that
// would change what a body means there.
func requestHeaders(j *judge, at string, m protoreflect.Message, f protoreflect.FieldDescriptor) {
	each(at, m, f, func(at string, m protoreflect.Message) {
		j.message(at, m)
		key := m.Get(m.Descriptor().Fields().ByName("header")).Message()
		name := strings.ToLower(key.Get(key.Descriptor().Fields().ByName("key")).String())
		if credentials := []string{"authorization", "api-key", "x-api-key", "openai-organization", "openai-project"}; !slices.Contains(credentials, name) {
			j.find(at, ruleHeaderChanges, fmt.Sprintf("%s: only %s may be added", whyHeaders, strings.Join(credentials, ", ")))
		}
	})
}
