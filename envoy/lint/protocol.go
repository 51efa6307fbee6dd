package lint

import (
	"fmt"
	"maps"
	"slices"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	upstreamhttpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// protocolKey is the key of a cluster's protocol options.
const protocolKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

const (
	whyProtocol = "how bodies are sent must not depend on something else: want explicit_http_config with HTTP/1.1 or HTTP/2"
	whyTunnel   = "it carries bytes past the processor"
)

func protocolTables() map[string]table {
	return map[string]table{
		nameOf(&upstreamhttpv3.HttpProtocolOptions{}): {
			free: "hash_policy",
			walk: "common_http_protocol_options explicit_http_config",
			judged: []judgement{
				{"upstream_http_protocol_options", refuse(ruleUpstreamIdentity, "a request would say whose certificate is good")},
				{"use_downstream_protocol_config auto_config", refuse(ruleUpstreamProtocol, whyProtocol)},
				{"http_filters", refuse(ruleUpstreamFilter, "it stands behind ext_proc, so what it changes is not seen")},
				{"outlier_detection", notAllowed()},
				{"header_validation_config", refuse(ruleExtension, whyExtension)},
				{"request_mirror_policies", refuse(ruleMirror, whyMirror)},
				{"retry_policy", refuse(ruleRetry, whyRetry)},
			},
		},
		nameOf(&upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig{}): {
			walk: "http_protocol_options http2_protocol_options",
			judged: []judgement{
				{"http3_protocol_options", refuse(ruleHTTPVersion, "HTTP/3 has not been tried with ext_proc")},
			},
		},
		"envoy.config.core.v3.HttpProtocolOptions": {
			free: "idle_timeout max_connection_duration max_connection_duration_jitter max_headers_count max_response_headers_kb " +
				"max_stream_duration headers_with_underscores_action max_requests_per_connection",
		},
		"envoy.config.core.v3.Http1ProtocolOptions": {
			free: "allow_absolute_url override_stream_error_on_invalid_http_message",
			walk: "ignore_http_11_upgrade",
			judged: []judgement{
				{"accept_http_10 default_host_for_http_10 enable_trailers allow_chunked_length send_fully_qualified_url use_balsa_parser allow_custom_methods header_key_format",
					refuse(ruleHTTPCodec, whyCodec)},
			},
		},
		"envoy.config.core.v3.Http2ProtocolOptions": {
			free: "hpack_table_size max_concurrent_streams initial_stream_window_size initial_connection_window_size max_outbound_frames " +
				"max_outbound_control_frames max_consecutive_inbound_frames_with_empty_payload max_inbound_priority_frames_per_stream " +
				"max_inbound_window_update_frames_per_data_frame_sent override_stream_error_on_invalid_http_message connection_keepalive " +
				"use_oghttp2_codec enable_huffman_encoding max_header_field_size_kb disallow_obs_text stream_reset_burst stream_reset_rate",
			judged: []judgement{
				{"allow_connect allow_metadata max_metadata_size", refuse(ruleUpgrade, whyTunnel)},
				{"stream_error_on_invalid_http_messaging custom_settings_parameters", refuse(ruleHTTPCodec, whyCodec)},
			},
		},
	}
}

// protocolOptions judges a cluster's options, of which only those for HTTP are
// known.
func protocolOptions(j *judge, at string, m protoreflect.Message, f protoreflect.FieldDescriptor) {
	c, ok := m.Interface().(*clusterv3.Cluster)
	if !ok || !m.Has(f) {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(c.GetTypedExtensionProtocolOptions())) {
		if key != protocolKey {
			j.find(fmt.Sprintf("%s[%q]", at, key), ruleUpstreamProtocol, whyProtocol)
			return
		}
	}
	packs(ruleUpstreamProtocol, saying(whyProtocol), nameOf(&upstreamhttpv3.HttpProtocolOptions{}))(j, at, m, f)
}
