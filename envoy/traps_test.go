package envoy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

func TestTrapsOfTheProcessor(t *testing.T) {
	for name, s := range both(t) {
		p := takeApart(t, s)
		mode, rules := p.proc.GetProcessingMode(), p.proc.GetMutationRules()
		t.Run(name, func(t *testing.T) {
			expectTraps(t, []trap{
				{"failure_mode_allow", p.proc.GetFailureModeAllow(), "false", "what a dead processor did not see would pass"},
				{"request_header_mode", mode.GetRequestHeaderMode(), "SEND", "path and method would not be judged"},
				{"request_body_mode", mode.GetRequestBodyMode(), "FULL_DUPLEX_STREAMED", "buffered cuts or refuses long bodies, streamed forwards as it reads"},
				{"request_trailer_mode", mode.GetRequestTrailerMode(), "SEND", "a body may end with trailers, which carry words"},
				{"response_header_mode", mode.GetResponseHeaderMode(), "SEND", "a block could not be a 451"},
				{"response_body_mode", mode.GetResponseBodyMode(), "FULL_DUPLEX_STREAMED", "buffered breaks streaming"},
				{"response_trailer_mode", mode.GetResponseTrailerMode(), "SEND", "a body may end with trailers, which carry words"},
				{"allow_mode_override", p.proc.GetAllowModeOverride(), "false", "an override has let the first chunk through"},
				{"allowed_override_modes", len(p.proc.GetAllowedOverrideModes()), "0", "an override has let the first chunk through"},
				{"disable_immediate_response", p.proc.GetDisableImmediateResponse(), "false", "a 451 would be an error"},
				{"observability_mode", p.proc.GetObservabilityMode(), "false", "it never waits for a verdict"},
				{"send_body_without_waiting_for_header_response", p.proc.GetSendBodyWithoutWaitingForHeaderResponse(), "false", "the order of phases would change"},
				{"route_cache_action", p.proc.GetRouteCacheAction(), "RETAIN", "headers could choose another route after the verdict"},
				{"message_timeout", p.proc.GetMessageTimeout(), "1m0s", "200 ms by default, and 0 is at once"},
				{"max_message_timeout", p.proc.GetMaxMessageTimeout(), "1m0s", "0 forbids to extend it"},
				{"grpc_service", p.proc.GetGrpcService().GetEnvoyGrpc().GetClusterName(), "ext_proc", "it must be the sidecar"},
				{"grpc_service timeout", p.proc.GetGrpcService().GetTimeout(), "unset", "it would cut long streams"},
				{"grpc_service retry_policy", p.proc.GetGrpcService().GetRetryPolicy(), "unset", "a body would be sent twice"},
				{"http_service", p.proc.GetHttpService(), "unset", "it sees headers only"},
				{"forward_rules", p.proc.GetForwardRules(), "unset", "headers would be hidden from the processor"},
				{"processing_request_modifier", p.proc.GetProcessingRequestModifier(), "unset", "it changes what is seen"},
				{"on_processing_response", p.proc.GetOnProcessingResponse(), "unset", "it changes what is answered"},
				{"metadata_options", p.proc.GetMetadataOptions(), "unset", "metadata could steer other parts"},
				{"status_on_error", p.proc.GetStatusOnError(), "unset", "the mapping of local replies looks for 500"},
				{"allow_content_length_header", p.proc.GetAllowContentLengthHeader(), "true", "the processor replaces bodies of known length"},
				{"allow_all_routing", rules.GetAllowAllRouting(), "false", "a reply could change host or scheme"},
				{"allow_envoy", rules.GetAllowEnvoy(), "true", "x-envoy-* of clients could not be dropped"},
				{"disallow_system", rules.GetDisallowSystem(), "false", "the processor sets :status and :path"},
				{"disallow_all", rules.GetDisallowAll(), "false", "x-request-id could not be set"},
				{"disallow_is_error", rules.GetDisallowIsError(), "true", "a change that is not made would not be noticed"},
			})
		})
	}
}

func TestTrapsOfTheListener(t *testing.T) {
	for name, s := range both(t) {
		p := takeApart(t, s)
		chain, filters := p.listener.GetFilterChains()[0], p.hcm.GetHttpFilters()
		h1, h2, common := p.hcm.GetHttpProtocolOptions(), p.hcm.GetHttp2ProtocolOptions(), p.hcm.GetCommonHttpProtocolOptions()
		t.Run(name, func(t *testing.T) {
			expectTraps(t, []trap{
				{"first http filter", filters[0].GetName(), "envoy.filters.http.ext_proc", "nothing may act before it"},
				{"last http filter", filters[1].GetName(), "envoy.filters.http.router", "a chain ends in the router"},
				{"ext_proc disabled", filters[0].GetDisabled(), "false", "it would be off unless a route asks for it"},
				{"ext_proc is_optional", filters[0].GetIsOptional(), "false", "an Envoy without it would go on"},
				{"filter_chain_match", chain.GetFilterChainMatch(), "unset", "other connections would find another chain or none"},
				{"default_filter_chain", p.listener.GetDefaultFilterChain(), "unset", "a second chain"},
				{"listener filters", len(p.listener.GetListenerFilters()), "0", "nothing reads before TLS"},
				{"additional_addresses", len(p.listener.GetAdditionalAddresses()), "0", "one address is attested"},
				{"bypass_overload_manager", p.listener.GetBypassOverloadManager(), "false", "the limit of connections would not hold"},
				{"per_connection_buffer_limit_bytes", p.listener.GetPerConnectionBufferLimitBytes(), "262144", "1 MiB by default, for each connection"},
				{"transport_socket_connect_timeout", chain.GetTransportSocketConnectTimeout(), "10s", "a handshake could last for ever"},
				{"codec_type", p.hcm.GetCodecType(), "AUTO", "HTTP/1.1 and HTTP/2 are offered"},
				{"upgrade_configs", len(p.hcm.GetUpgradeConfigs()), "0", "an upgraded connection carries opaque bytes"},
				{"allow_connect", h2.GetAllowConnect(), "false", "a tunnel carries opaque bytes"},
				{"allow_metadata", h2.GetAllowMetadata(), "false", "METADATA frames are seen by nobody"},
				{"http3_protocol_options", p.hcm.GetHttp3ProtocolOptions(), "unset", "the listener is TCP"},
				{"tracing", p.hcm.GetTracing(), "unset", "spans of Envoy carry url, user agent and addresses"},
				{"access_log", len(p.hcm.GetAccessLog()), "0", "it would tell of requests"},
				{"listener access_log", len(p.listener.GetAccessLog()), "0", "it would tell of clients"},
				{"use_remote_address", p.hcm.GetUseRemoteAddress(), "true", "a client's x-request-id would survive"},
				{"skip_xff_append", p.hcm.GetSkipXffAppend(), "true", "the upstream would get the client's address"},
				{"xff_num_trusted_hops", p.hcm.GetXffNumTrustedHops(), "0", "a client's x-forwarded-for counts for nothing"},
				{"original_ip_detection_extensions", len(p.hcm.GetOriginalIpDetectionExtensions()), "0", "a client's header counts for nothing"},
				{"internal_address_config", p.hcm.GetInternalAddressConfig(), "unset", "an internal client's x-envoy-retry-on counts"},
				{"preserve_external_request_id", p.hcm.GetPreserveExternalRequestId(), "false", "a client would choose the id of its record"},
				{"generate_request_id", p.hcm.GetGenerateRequestId(), "true", "a dead processor's 503 would have no id"},
				{"always_set_request_id_in_response", p.hcm.GetAlwaysSetRequestIdInResponse(), "false", "it would go over the processor's"},
				{"normalize_path", p.hcm.GetNormalizePath(), "false", "another path than the one judged would be routed"},
				{"merge_slashes", p.hcm.GetMergeSlashes(), "false", "//v1/models would be /v1/models"},
				{"path_with_escaped_slashes_action", p.hcm.GetPathWithEscapedSlashesAction(), "KEEP_UNCHANGED", "%2f would be a slash"},
				{"early_header_mutation_extensions", len(p.hcm.GetEarlyHeaderMutationExtensions()), "0", "headers would change before they are judged"},
				{"server_name", p.hcm.GetServerName(), "confidential-safety", "it would name the software"},
				{"server_header_transformation", p.hcm.GetServerHeaderTransformation(), "OVERWRITE", "an upstream's server header carries words"},
				{"add_user_agent", p.hcm.GetAddUserAgent(), "false", "it tells the upstream about us"},
				{"headers_with_underscores_action", common.GetHeadersWithUnderscoresAction(), "REJECT_REQUEST", "some upstreams read x_a as x-a"},
				{"max_headers_count", common.GetMaxHeadersCount(), "100", "bounds what a request may hold"},
				{"max_request_headers_kb", p.hcm.GetMaxRequestHeadersKb(), "60", "bounds what a request may hold"},
				{"idle_timeout", common.GetIdleTimeout(), "5m0s", "idle connections count against the limit"},
				{"enable_trailers of HTTP/1", h1.GetEnableTrailers(), "false", "words in trailers"},
				{"allow_chunked_length", h1.GetAllowChunkedLength(), "false", "two lengths are how requests are smuggled"},
				{"accept_http_10", h1.GetAcceptHttp_10(), "false", "it has no chunks"},
				{"allow_absolute_url", h1.GetAllowAbsoluteUrl(), "false", "this is no forward proxy"},
				{"stream_error_on_invalid_http_message", p.hcm.GetStreamErrorOnInvalidHttpMessage(), "false", "a connection that smuggles must end"},
				{"the same of HTTP/1", h1.GetOverrideStreamErrorOnInvalidHttpMessage(), "false", "a connection that smuggles must end"},
				{"the same of HTTP/2", h2.GetOverrideStreamErrorOnInvalidHttpMessage(), "false", "a connection that smuggles must end"},
				{"initial_stream_window_size", h2.GetInitialStreamWindowSize(), "65536", "33 MB a stream for a slow client by default"},
				{"initial_connection_window_size", h2.GetInitialConnectionWindowSize(), "1048576", "bounds what is buffered"},
				{"max_concurrent_streams", h2.GetMaxConcurrentStreams(), "100", "bounds what one connection may ask"},
				{"request_headers_timeout", p.hcm.GetRequestHeadersTimeout(), "10s", "headers could trickle for ever"},
				{"request_timeout", p.hcm.GetRequestTimeout(), "0s", "the processor has its own deadlines"},
				{"stream_idle_timeout", p.hcm.GetStreamIdleTimeout(), "1h0m0s", "5 minutes by default, and it fires while headers are held"},
				{"max_stream_duration", common.GetMaxStreamDuration(), "1h2m0s", "a client that does not read would hold an exchange for ever"},
				{"stream_flush_timeout", p.hcm.GetStreamFlushTimeout(), "5m0s", "an hour by default, for an end that is not read"},
				{"max_requests_per_connection", common.GetMaxRequestsPerConnection(), "unset", "a connection holds nothing of former requests"},
				{"delayed_close_timeout", p.hcm.GetDelayedCloseTimeout(), "1s", "a client whose stream is reset hangs until then"},
				{"drain_timeout", p.hcm.GetDrainTimeout(), "30s", "draining has its own setting"},
				{"max_active_downstream_connections", p.limit.GetMaxActiveDownstreamConnections(), "1024", "each connection has buffers"},
			})
		})
	}
}

func TestTrapsOfTheKey(t *testing.T) {
	p := takeApart(t, settings())
	common := p.tls.GetCommonTlsContext()
	if n := len(common.GetTlsCertificateSdsSecretConfigs()); n != 1 {
		t.Fatalf("%d secrets", n)
	}
	sds := common.GetTlsCertificateSdsSecretConfigs()[0]
	api := sds.GetSdsConfig().GetApiConfigSource()
	expectTraps(t, []trap{
		{"secret", sds.GetName(), tlsSecretName, "it is what the sidecar serves"},
		{"initial_fetch_timeout", sds.GetSdsConfig().GetInitialFetchTimeout(), "0s", "Envoy would be live without a key, 15 s after its start"},
		{"api_type", api.GetApiType(), "GRPC", "the key comes by a socket"},
		{"transport_api_version", api.GetTransportApiVersion(), "V3", "Envoy knows no other"},
		{"sds cluster", api.GetGrpcServices()[0].GetEnvoyGrpc().GetClusterName(), "sds", "it must be the sidecar"},
		{"tls_certificates", len(common.GetTlsCertificates()), "0", "a key in a file"},
		{"key_log", common.GetKeyLog(), "unset", "session keys in a file"},
		{"tls_minimum_protocol_version", common.GetTlsParams().GetTlsMinimumProtocolVersion(), "TLSv1_2", "older ones are broken"},
		{"tls_maximum_protocol_version", common.GetTlsParams().GetTlsMaximumProtocolVersion(), "TLSv1_3", "the default of servers has changed before"},
		{"alpn_protocols", common.GetAlpnProtocols(), "[h2 http/1.1]", "clients choose by it"},
		{"stateless resumption off", p.tls.GetDisableStatelessSessionResumption(), "true", "a session outlives the key it was made under"},
		{"stateful resumption off", p.tls.GetDisableStatefulSessionResumption(), "true", "a session outlives the key it was made under"},
	})
}

func TestTrapsOfTheClusters(t *testing.T) {
	for name, s := range both(t) {
		p := takeApart(t, s)
		t.Run(name, func(t *testing.T) {
			names := make([]string, 0, 3)
			for n := range p.clusters {
				names = append(names, n)
			}
			slices.Sort(names)
			if got := strings.Join(names, " "); got != "ext_proc sds upstream" {
				t.Errorf("clusters %s: content could go to another", got)
			}
			for cluster, socket := range map[string]string{"ext_proc": s.ExtProcSocket, "sds": s.SDSSocket} {
				at, h2 := onlyEndpoint(t, p.clusters[cluster]), p.http2(t, cluster)
				expectTraps(t, []trap{
					{cluster + " socket", at.GetPipe().GetPath(), socket, "it must be the sidecar"},
					{cluster + " type", p.clusters[cluster].GetType(), "STATIC", "nothing is to be found out"},
					{cluster + " initial_stream_window_size", h2.GetInitialStreamWindowSize(), "65536", "18 MB a stream for a processor that does not read"},
					{cluster + " initial_connection_window_size", h2.GetInitialConnectionWindowSize(), "16777216", "one slow stream would stop the others"},
					{cluster + " keepalive interval", h2.GetConnectionKeepalive().GetInterval(), "1s", "a stopped processor is never noticed without"},
					{cluster + " keepalive timeout", h2.GetConnectionKeepalive().GetTimeout(), "1s", "a stopped processor is never noticed without"},
				})
			}
			for n, c := range p.clusters {
				limits := c.GetCircuitBreakers().GetThresholds()
				if len(limits) != 1 {
					t.Fatalf("%s: %d thresholds", n, len(limits))
				}
				limit := "2176" // twice the processor's and some
				if n == sdsCluster {
					limit = "8"
				}
				expectTraps(t, []trap{
					{n + " max_requests", limits[0].GetMaxRequests(), limit, "1,024 by default: long streams exhaust it"},
					{n + " max_pending_requests", limits[0].GetMaxPendingRequests(), limit, "1,024 by default"},
					{n + " max_connections", limits[0].GetMaxConnections(), limit, "1,024 by default"},
					{n + " max_retries", limits[0].GetMaxRetries(), "0", "retries have duplicated bodies"},
					{n + " priority", limits[0].GetPriority(), "DEFAULT", "no route has another"},
				})
			}
		})
	}
}

func onlyEndpoint(t *testing.T, c *clusterv3.Cluster) *corev3.Address {
	t.Helper()
	groups := c.GetLoadAssignment().GetEndpoints()
	if len(groups) != 1 || len(groups[0].GetLbEndpoints()) != 1 {
		t.Fatalf("%s has not one endpoint", c.GetName())
	}
	return groups[0].GetLbEndpoints()[0].GetEndpoint().GetAddress()
}

func TestTrapsOfTheRest(t *testing.T) {
	p := takeApart(t, settings())
	layers := p.boot.GetLayeredRuntime().GetLayers()
	if len(layers) != 1 {
		t.Fatalf("%d layers of runtime: without one Envoy makes one that the admin can write to", len(layers))
	}
	expectTraps(t, []trap{
		{"admin socket", p.boot.GetAdmin().GetAddress().GetPipe().GetPath(), settings().AdminSocket, "a port is open to everybody on the machine"},
		{"admin socket's mode", p.boot.GetAdmin().GetAddress().GetPipe().GetMode(), fmt.Sprint(0o600), "the admin can end Envoy and dump its configuration"},
		{"admin access_log", len(p.boot.GetAdmin().GetAccessLog()), "0", "nobody reads it"},
		{"runtime layer", layers[0].GetStaticLayer(), "set", "one of another kind can be changed while Envoy runs"},
		{"runtime values", len(layers[0].GetStaticLayer().GetFields()), "1", "ext_proc_fail_close_spurious_resp must not be turned off"},
		{"strict chunks", layers[0].GetStaticLayer().GetFields()["envoy.reloadable_features.strict_chunk_parsing"].GetBoolValue(), "true",
			"bytes between chunks are skipped, and others read them as a request"},
		{"dynamic_resources", p.boot.GetDynamicResources(), "unset", "the configuration is attested"},
		{"static secrets", len(p.boot.GetStaticResources().GetSecrets()), "0", "a key in a file"},
		{"stats_sinks", len(p.boot.GetStatsSinks()), "0", "nothing leaves by Envoy"},
		{"hds_config", p.boot.GetHdsConfig(), "unset", "nothing leaves by Envoy"},
		{"bootstrap_extensions", len(p.boot.GetBootstrapExtensions()), "0", "more ways in"},
		{"suppress_envoy_headers", p.router.GetSuppressEnvoyHeaders(), "true", "clients would learn of the upstream"},
		{"dynamic_stats", p.router.GetDynamicStats(), "false", "not read"},
	})
}
