package lint

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/proto"
)

const (
	whyMode        = "what is not sent is not seen: want SEND for headers and trailers and FULL_DUPLEX_STREAMED for bodies"
	whyObserve     = "in that mode nothing waits for a verdict"
	whyMutation    = "headers that the processor takes away would stay"
	whyGRPCService = "want envoy_grpc and a cluster, without retries and timeouts: a stream lasts as long as its exchange"
)

func processorTables() map[string]table {
	return map[string]table{
		nameOf(&extprocv3.ExternalProcessor{}): {
			free: "request_attributes response_attributes stat_prefix max_message_timeout filter_metadata " +
				"allow_content_length_header emit_client_span",
			judged: []judgement{
				{"grpc_service", present(ruleGRPCService, whyGRPCService)},
				{"http_service", refuse(ruleGRPCService, "an http_service sees headers only")},
				{"failure_mode_allow", refuse(ruleFailureMode, "what a dead processor did not see would pass")},
				{"processing_mode", present(ruleProcessingMode, whyMode)},
				{"message_timeout", must(ruleMessageTimeout, "the default is 200 ms, and 0 ends every exchange: want a minute, say", above0)},
				{"mutation_rules", present(ruleMutationRules, whyMutation+": want allow_envoy and disallow_is_error")},
				{"forward_rules", refuse(ruleForwardRules, "headers would be hidden from the processor")},
				{"allow_mode_override allowed_override_modes", refuse(ruleModeOverride, "an override has let the first bytes of a body pass")},
				{"disable_immediate_response", refuse(ruleImmediateResponse, "a block would be ignored, and the rest pass unseen")},
				{"metadata_options", refuse(ruleMetadata, "metadata would go to other filters and logs")},
				{"observability_mode deferred_close_timeout", refuse(ruleObservability, whyObserve)},
				{"disable_clear_route_cache", refuse(ruleRouteCache, "want route_cache_action: RETAIN in its place")},
				{"route_cache_action", must(ruleRouteCache, "a header would choose another route after the path was judged: want RETAIN", is("RETAIN"))},
				{"send_body_without_waiting_for_header_response", refuse(ruleEarlyBody, "bodies would be sent before the headers are judged")},
				{"processing_request_modifier on_processing_response", refuse(ruleExtension, "it changes what the processor sees and says")},
				{"status_on_error", must(ruleStatusOnError, "a failure would look like an answer: want a status of 500 or above", func(v any) bool {
					status, ok := v.(*typev3.HttpStatus)
					return v == nil || ok && status.GetCode() >= 500
				})},
			},
			whole: func(j *judge, _ string, m proto.Message) {
				j.extProc = append(j.extProc, j.socketOf(m.(*extprocv3.ExternalProcessor).GetGrpcService())...)
			},
		},
		nameOf(&extprocv3.ProcessingMode{}): {
			judged: []judgement{
				{"request_header_mode response_header_mode request_trailer_mode response_trailer_mode", must(ruleProcessingMode, whyMode, is("SEND"))},
				{"request_body_mode response_body_mode", must(ruleProcessingMode, whyMode, is("FULL_DUPLEX_STREAMED"))},
			},
		},
		"envoy.config.common.mutation_rules.v3.HeaderMutationRules": {
			judged: []judgement{
				{"allow_all_routing", refuse(ruleMutationRules, "the processor needs no other host or scheme")},
				{"allow_envoy", must(ruleMutationRules, "a client's x-envoy-* headers would stay and steer retries: want true", is(true))},
				{"disallow_is_error", must(ruleMutationRules, whyMutation+" without a word: want true", is(true))},
				{"disallow_system disallow_all allow_expression disallow_expression", refuse(ruleMutationRules, whyMutation)},
			},
		},
		"envoy.config.core.v3.GrpcService": {
			judged: []judgement{
				{"envoy_grpc", present(ruleGRPCService, whyGRPCService)},
				{"google_grpc timeout initial_metadata retry_policy", refuse(ruleGRPCService, whyGRPCService)},
			},
		},
		nameOf(&corev3.GrpcService_EnvoyGrpc{}): {
			free: "authority max_receive_message_length skip_envoy_headers",
			judged: []judgement{
				{"cluster_name", service},
				{"retry_policy", refuse(ruleGRPCService, whyGRPCService)},
			},
		},
	}
}
