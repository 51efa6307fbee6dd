package lint

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"
)

const (
	whyIdentity = "bodies would go to whoever answers there: want verify_certificate_spki, or an inline trusted_ca with exact match_typed_subject_alt_names"
	whyTLSKey   = "whoever has the key can read what passes"
	whySecret   = "a secret from there can be another's: want envoy_grpc over a cluster on a Unix socket"
)

func tlsTables() map[string]table {
	return map[string]table{
		"envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext": {
			free: "require_client_certificate require_sni disable_stateless_session_resumption disable_stateful_session_resumption " +
				"session_timeout ocsp_staple_policy full_scan_certs_on_sni_mismatch prefer_client_ciphers",
			judged: []judgement{
				{"common_tls_context", present(ruleListenerTLS, "there is no certificate")},
				{"session_ticket_keys session_ticket_keys_sds_secret_config", refuse(ruleTLSKey, whyTLSKey)},
			},
		},
		"envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext": {
			free: "sni max_session_keys enforce_rsa_key_usage",
			walk: "common_tls_context",
			judged: []judgement{
				{"auto_host_sni auto_sni_san_validation", refuse(ruleUpstreamIdentity, "a request would say whose certificate is good")},
				{"allow_renegotiation", notAllowed()},
			},
			whole: upstreamIdentity,
		},
		"envoy.extensions.transport_sockets.tls.v3.CommonTlsContext": {
			free: "alpn_protocols",
			walk: "tls_params tls_certificates tls_certificate_sds_secret_configs validation_context",
			judged: []judgement{
				{"validation_context_sds_secret_config combined_validation_context validation_context_certificate_provider " +
					"validation_context_certificate_provider_instance", refuse(ruleUpstreamIdentity, "whom to trust would be decided elsewhere: want validation_context")},
				{"tls_certificate_provider_instance tls_certificate_certificate_provider tls_certificate_certificate_provider_instance",
					refuse(ruleSecretSource, whySecret)},
				{"custom_tls_certificate_selector custom_handshaker", refuse(ruleExtension, whyExtension)},
				{"key_log", refuse(ruleTLSKey, whyTLSKey)},
			},
		},
		"envoy.extensions.transport_sockets.tls.v3.TlsParameters": {
			free: "cipher_suites ecdh_curves signature_algorithms compliance_policies",
			judged: []judgement{
				{"tls_minimum_protocol_version tls_maximum_protocol_version", must(ruleTLSVersion, "versions before TLS 1.2 can be read by others", is("TLS_AUTO", "TLSv1_2", "TLSv1_3"))},
			},
		},
		// The key is the operator's and may be in a file.
		"envoy.extensions.transport_sockets.tls.v3.TlsCertificate": {
			free: "certificate_chain private_key pkcs12 watched_directory password ocsp_staple signed_certificate_timestamp",
			walk: "tls_params",
			judged: []judgement{
				{"private_key_provider", refuse(ruleTLSKey, whyTLSKey)},
			},
		},
		"envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext": {
			free: "verify_certificate_spki verify_certificate_hash require_signed_certificate_timestamp " +
				"only_verify_leaf_cert_crl max_verify_depth suppress_client_ca_list",
			walk: "trusted_ca crl match_typed_subject_alt_names",
			judged: []judgement{
				{"ca_certificate_provider_instance system_root_certs watched_directory allow_expired_certificate match_subject_alt_names",
					refuse(ruleUpstreamIdentity, whyIdentity)},
				{"trust_chain_verification", must(ruleUpstreamIdentity, whyIdentity, is("VERIFY_TRUST_CHAIN"))},
				{"custom_validator_config", refuse(ruleExtension, whyExtension)},
			},
		},
		"envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher": {
			free: "san_type oid",
			walk: "matcher",
		},
		"envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig": {
			free: "name",
			judged: []judgement{
				{"sds_config", present(ruleSecretSource, "a static secret is judged where it is used: write it there")},
			},
		},
		"envoy.config.core.v3.ConfigSource": {
			free: "initial_fetch_timeout resource_api_version",
			judged: []judgement{
				{"api_config_source", present(ruleSecretSource, whySecret)},
				{"authorities path path_config_source ads self", refuse(ruleSecretSource, whySecret)},
			},
		},
		"envoy.config.core.v3.ApiConfigSource": {
			free: "transport_api_version refresh_delay request_timeout rate_limit_settings set_node_on_first_message_only",
			walk: "grpc_services",
			judged: []judgement{
				{"api_type", must(ruleSecretSource, whySecret, is("GRPC", "DELTA_GRPC"))},
				{"cluster_names", refuse(ruleSecretSource, whySecret)},
				{"config_validators", refuse(ruleExtension, whyExtension)},
			},
			whole: func(j *judge, _ string, m proto.Message) {
				for _, s := range m.(*corev3.ApiConfigSource).GetGrpcServices() {
					j.sds = append(j.sds, j.socketOf(s)...)
				}
			},
		},
	}
}

// upstreamIdentity wants an upstream that is known by its key, or by a CA and a
// name.
func upstreamIdentity(j *judge, at string, m proto.Message) {
	trust := m.(*tlsv3.UpstreamTlsContext).GetCommonTlsContext().GetValidationContext()
	if len(trust.GetVerifyCertificateSpki()) > 0 || len(trust.GetVerifyCertificateHash()) > 0 {
		return
	}
	names := trust.GetMatchTypedSubjectAltNames()
	ok := trust.GetTrustedCa() != nil && len(names) > 0
	for _, n := range names {
		if _, exact := n.GetMatcher().GetMatchPattern().(*matcherv3.StringMatcher_Exact); !exact {
			ok = false
		}
	}
	if !ok {
		j.find(at+".common_tls_context.validation_context", ruleUpstreamIdentity, whyIdentity)
	}
}
