package lint

import (
	"fmt"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
)

const whyDiscovery = "where bodies go is decided elsewhere: want STATIC, STRICT_DNS or LOGICAL_DNS"

func clusterTables() map[string]table {
	return map[string]table{
		"envoy.config.cluster.v3.Cluster": {
			free: "name alt_stat_name connect_timeout per_connection_buffer_limit_bytes " +
				"per_connection_buffer_high_watermark_timeout max_requests_per_connection circuit_breakers dns_refresh_rate dns_jitter " +
				"dns_failure_refresh_rate respect_dns_ttl dns_lookup_family wait_for_warm_on_init cleanup_interval " +
				"lb_subset_config ring_hash_lb_config maglev_lb_config least_request_lb_config round_robin_lb_config metadata " +
				"upstream_connection_options close_connections_on_host_health_failure ignore_health_on_host_removal track_timeout_budgets " +
				"track_cluster_stats connection_pool_per_downstream_connection",
			walk: "stats_matcher outlier_detection load_assignment health_checks common_lb_config",
			judged: []judgement{
				{"type", must(ruleDiscovery, whyDiscovery, is("STATIC", "STRICT_DNS", "LOGICAL_DNS"))},
				{"cluster_type eds_cluster_config original_dst_lb_config", refuse(ruleDiscovery, whyDiscovery)},
				{"dns_resolvers use_tcp_for_dns_lookups dns_resolution_config typed_dns_resolver_config", refuse(ruleExtension, whyExtension)},
				{"lb_policy", must(ruleDiscovery, whyDiscovery, is("ROUND_ROBIN", "LEAST_REQUEST", "RING_HASH", "RANDOM", "MAGLEV"))},
				{"load_balancing_policy upstream_config", refuse(ruleExtension, whyExtension)},
				{"transport_socket", transport(ruleUpstreamTLS, nameOf(&tlsv3.UpstreamTlsContext{}))},
				{"transport_socket_matches", refuse(ruleUpstreamTLS, "an endpoint would choose whether it is TLS")},
				{"transport_socket_matcher", refuse(ruleMatcherTree, "a tree of matchers is not judged")},
				{"filters", refuse(ruleUpstreamFilter, "it stands behind ext_proc, so what it changes is not seen")},
				{"typed_extension_protocol_options", protocolOptions},
				{"upstream_http_protocol_options common_http_protocol_options http_protocol_options http2_protocol_options protocol_selection",
					refuse(ruleUpstreamProtocol, "want typed_extension_protocol_options in its place")},
				{"lrs_server lrs_report_endpoint_metrics", refuse(ruleStatsSink, "it sends what Envoy counts to somewhere else")},
				{"upstream_bind_config preconnect_policy queuing_policies", notAllowed()},
			},
			whole: upstreamTLS,
		},
		"envoy.config.cluster.v3.OutlierDetection": {
			free: "consecutive_5xx interval base_ejection_time max_ejection_percent enforcing_consecutive_5xx enforcing_success_rate " +
				"success_rate_minimum_hosts success_rate_request_volume success_rate_stdev_factor consecutive_gateway_failure " +
				"enforcing_consecutive_gateway_failure split_external_local_origin_errors consecutive_local_origin_failure " +
				"max_ejection_time max_ejection_time_jitter",
		},
		"envoy.config.cluster.v3.Cluster.CommonLbConfig": {
			free: "healthy_panic_threshold update_merge_window ignore_new_hosts_until_first_hc close_connections_on_host_set_change",
		},
		"envoy.config.endpoint.v3.ClusterLoadAssignment": {
			free: "cluster_name policy",
			walk: "endpoints",
			judged: []judgement{
				{"named_endpoints", notAllowed()},
			},
		},
		"envoy.config.endpoint.v3.LocalityLbEndpoints": {
			free: "locality metadata load_balancing_weight priority proximity",
			walk: "lb_endpoints",
			judged: []judgement{
				{"load_balancer_endpoints leds_cluster_locality_config", refuse(ruleDiscovery, whyDiscovery)},
			},
		},
		"envoy.config.endpoint.v3.LbEndpoint": {
			free: "health_status metadata load_balancing_weight",
			walk: "endpoint",
			judged: []judgement{
				{"endpoint_name", refuse(ruleDiscovery, whyDiscovery)},
			},
		},
		"envoy.config.endpoint.v3.Endpoint": {
			free: "hostname observability_name",
			walk: "address",
			judged: []judgement{
				{"health_check_config additional_addresses", notAllowed()},
			},
		},
		"envoy.config.core.v3.HealthCheck": {
			free: "name timeout interval initial_jitter interval_jitter interval_jitter_percent unhealthy_threshold healthy_threshold " +
				"reuse_connection no_traffic_interval no_traffic_healthy_interval unhealthy_interval unhealthy_edge_interval healthy_edge_interval",
			walk: "http_health_check tcp_health_check",
		},
		"envoy.config.core.v3.HealthCheck.TcpHealthCheck": {},
		"envoy.config.core.v3.HealthCheck.HttpHealthCheck": {
			free: "host path expected_statuses retriable_statuses codec_client_type",
		},
	}
}

// upstreamTLS wants TLS to everything that is not on this machine.
func upstreamTLS(j *judge, at string, m proto.Message) {
	c := m.(*clusterv3.Cluster)
	if c.GetTransportSocket() != nil {
		return
	}
	for i, group := range c.GetLoadAssignment().GetEndpoints() {
		for k, e := range group.GetLbEndpoints() {
			if a := e.GetEndpoint().GetAddress(); !onMachine(a) {
				j.find(fmt.Sprintf("%s.load_assignment.endpoints[%d].lb_endpoints[%d].endpoint.address", at, i, k), ruleUpstreamTLS,
					"bodies would cross the network in the clear: want a transport_socket with TLS, or a loopback address")
			}
		}
	}
}

// cluster returns the cluster of a name. Envoy takes no two of one name.
func (j *judge) cluster(name string) (*clusterv3.Cluster, bool) {
	for _, c := range j.clusters {
		if c.GetName() == name {
			return c, true
		}
	}
	return nil, false
}

// socketOf returns the Unix sockets that a gRPC service leads to.
func (j *judge) socketOf(s *corev3.GrpcService) []string {
	c, _ := j.cluster(s.GetEnvoyGrpc().GetClusterName())
	var sockets []string
	for _, group := range c.GetLoadAssignment().GetEndpoints() {
		for _, e := range group.GetLbEndpoints() {
			sockets = append(sockets, e.GetEndpoint().GetAddress().GetPipe().GetPath())
		}
	}
	return sockets
}
