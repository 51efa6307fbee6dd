package lint

import (
	"fmt"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	tlsinspectorv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const whyNetworkFilter = "it forwards or changes bytes that no http filter sees: want the http connection manager alone"

func listenerTables() map[string]table {
	return map[string]table{
		"envoy.config.listener.v3.Listener": {
			free: "name stat_prefix per_connection_buffer_limit_bytes per_connection_buffer_high_watermark_timeout metadata " +
				"drain_type listener_filters_timeout freebind socket_options tcp_fast_open_queue_length traffic_direction " +
				"reuse_port enable_reuse_port tcp_backlog_size max_connections_to_accept_per_socket_event " +
				"enable_mptcp ignore_global_conn_limit bypass_overload_manager tcp_keepalive",
			walk: "stats_matcher address additional_addresses filter_chains default_filter_chain listener_filters",
			judged: []judgement{
				{"fcds_config", refuse(ruleDynamicConfig, whyDynamic)},
				{"filter_chain_matcher", refuse(ruleMatcherTree, "a tree of matchers is not judged: use filter_chain_match")},
				{"access_log", refuse(ruleAccessLog, whyAccessLog)},
				{"bind_to_port", must(ruleListenerKind, "connections come to it from another listener: want one that is bound", unsetOr(is(true)))},
				{"connection_balance_config", notAllowed()},
				{"use_original_dst deprecated_v1 transparent continue_on_listener_filters_timeout udp_listener_config api_listener internal_listener",
					refuse(ruleListenerKind, "connections come to it, or go on from it, in a way that is not judged: want a plain TCP listener")},
			},
			whole: listenerTLS,
		},
		"envoy.config.listener.v3.AdditionalAddress": {
			free: "socket_options tcp_keepalive",
			walk: "address",
		},
		// Every chain is judged in the same way, so it does not matter which one
		// a connection gets.
		"envoy.config.listener.v3.FilterChain": {
			free: "filter_chain_match metadata transport_socket_connect_timeout name",
			walk: "filters",
			judged: []judgement{
				{"use_proxy_proto", refuse(ruleListenerFilter, "the client would say where it comes from")},
				{"transport_socket", transport(ruleListenerTLS, nameOf(&tlsv3.DownstreamTlsContext{}))},
			},
			whole: func(j *judge, at string, m proto.Message) {
				if len(m.(*listenerv3.FilterChain).GetFilters()) != 1 {
					j.find(at+".filters", ruleNetworkFilter, whyNetworkFilter)
				}
			},
		},
		"envoy.config.listener.v3.Filter": {
			free: "name",
			judged: []judgement{
				{"typed_config", packs(ruleNetworkFilter, saying(whyNetworkFilter), nameOf(&hcmv3.HttpConnectionManager{}))},
				{"config_discovery", refuse(ruleDynamicConfig, whyDynamic)},
			},
		},
		"envoy.config.listener.v3.ListenerFilter": {
			free: "name filter_disabled",
			judged: []judgement{
				{"typed_config", packs(ruleListenerFilter, saying("it changes where a connection comes from or goes to: only the TLS inspector does not"),
					nameOf(&tlsinspectorv3.TlsInspector{}))},
				{"config_discovery", refuse(ruleDynamicConfig, whyDynamic)},
			},
		},
		nameOf(&tlsinspectorv3.TlsInspector{}): {
			free: "enable_ja3_fingerprinting enable_ja4_fingerprinting initial_read_buffer_size " +
				"close_connection_on_client_hello_parsing_errors max_client_hello_size",
		},
	}
}

// transport judges a transport socket, which must be of the one type.
func transport(rule Rule, typeName string) opinion {
	packed := packs(rule, saying("only TLS keeps what passes from others"), typeName)
	return func(j *judge, at string, m protoreflect.Message, f protoreflect.FieldDescriptor) {
		each(at, m, f, func(at string, m protoreflect.Message) {
			packed(j, at+".typed_config", m, m.Descriptor().Fields().ByName("typed_config"))
		})
	}
}

// listenerTLS wants TLS on what other machines can reach.
func listenerTLS(j *judge, at string, m proto.Message) {
	l := m.(*listenerv3.Listener)
	local := onMachine(l.GetAddress())
	for _, more := range l.GetAdditionalAddresses() {
		local = local && onMachine(more.GetAddress())
	}
	if local {
		return
	}
	plain := func(at string, s *corev3.TransportSocket) {
		if s == nil {
			j.find(at, ruleListenerTLS, "others on the network can read what passes: want a transport_socket with TLS, or a loopback address")
		}
	}
	for i, c := range l.GetFilterChains() {
		plain(fmt.Sprintf("%s.filter_chains[%d]", at, i), c.GetTransportSocket())
	}
	if c := l.GetDefaultFilterChain(); c != nil {
		plain(at+".default_filter_chain", c.GetTransportSocket())
	}
}
