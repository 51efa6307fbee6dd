package lint

import (
	"slices"
	"strings"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	overloadv3 "github.com/envoyproxy/go-control-plane/envoy/config/overload/v3"
	connectionsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3"
	fixedheapv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/fixed_heap/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

const (
	whyDynamic   = "what is fetched later is in no file that was judged"
	whyExtension = "what the extension does to a body is not known"
	whyAccessLog = "it tells of requests: paths, headers and addresses"
	whyTracing   = "spans carry paths, headers and addresses"
	whyRuntime   = "what may change there turns off guards of ext_proc while Envoy runs: want static layers that set " + strictChunkParsing + ": true alone"
)

func bootstrapTables() map[string]table {
	return map[string]table{
		"envoy.config.bootstrap.v3.Bootstrap": {
			free: "node node_context_params deferred_stat_options stats_flush_interval stats_flush_on_admin " +
				"stats_eviction_interval enable_dispatcher_stats stats_server_version_override application_log_config " +
				"grpc_async_client_manager_config memory_allocator_manager enable_worker_cpu_affinity",
			walk: "static_resources admin stats_config overload_manager cluster_manager watchdogs watchdog",
			judged: []judgement{
				{"dynamic_resources hds_config config_sources default_config_source xds_delegate_extension xds_config_tracker_extension",
					refuse(ruleDynamicConfig, whyDynamic)},
				{"bootstrap_extensions fatal_actions default_socket_interface certificate_provider_instances default_regex_engine " +
					"listener_manager typed_dns_resolver_config dns_resolution_config", refuse(ruleExtension, whyExtension)},
				{"tracing perf_tracing_file_path", refuse(ruleTracing, whyTracing)},
				{"stats_sinks", refuse(ruleStatsSink, "it sends what Envoy counts to somewhere else")},
				{"header_prefix", refuse(ruleHeaderPrefix, "the processor drops a client's x-envoy-* headers, which under another prefix would steer retries and timeouts")},
				{"layered_runtime", present(ruleRuntime, "without a layer Envoy makes one in which the admin can turn off guards of ext_proc")},
				{"flags_path inline_headers use_tcp_for_dns_lookups", notAllowed()},
			},
		},
		"envoy.config.bootstrap.v3.Bootstrap.StaticResources": {
			walk: "listeners clusters",
			judged: []judgement{
				{"secrets", refuse(ruleSecretSource, "a secret is judged where it is used: write it there")},
			},
		},
		"envoy.config.bootstrap.v3.ClusterManager": {
			free: "local_cluster_name enable_deferred_cluster_creation",
			judged: []judgement{
				{"load_stats_config", refuse(ruleStatsSink, "it sends what Envoy counts to somewhere else")},
				{"outlier_detection upstream_bind_config", notAllowed()},
			},
		},
		"envoy.config.bootstrap.v3.Watchdogs": {walk: "main_thread_watchdog worker_watchdog"},
		"envoy.config.bootstrap.v3.Watchdog": {
			free: "miss_timeout megamiss_timeout kill_timeout max_kill_timeout_jitter multikill_timeout multikill_threshold",
			judged: []judgement{
				{"actions", refuse(ruleExtension, whyExtension)},
			},
		},
		"envoy.config.bootstrap.v3.Admin": {
			free: "socket_options ignore_global_conn_limit",
			walk: "address allow_paths",
			judged: []judgement{
				{"access_log access_log_path", refuse(ruleAccessLog, whyAccessLog)},
				{"profile_path", notAllowed()},
			},
			whole: admin,
		},
		"envoy.config.bootstrap.v3.LayeredRuntime": {
			walk: "layers",
			whole: func(j *judge, at string, m proto.Message) {
				switch layers := m.(*bootstrapv3.LayeredRuntime).GetLayers(); {
				case len(layers) == 0:
					j.find(at, ruleRuntime, "without a layer Envoy makes one in which the admin can turn off guards of ext_proc")
				case !slices.ContainsFunc(layers, strictChunks):
					j.find(at, ruleRuntime, "bytes between two chunks are skipped, in which another server may see a request: want "+strictChunkParsing+": true in a static layer")
				}
			},
		},
		"envoy.config.bootstrap.v3.RuntimeLayer": {
			free: "name",
			judged: []judgement{
				{"static_layer", must(ruleRuntime, whyRuntime, func(v any) bool {
					layer, ok := v.(*structpb.Struct)
					for key, value := range layer.GetFields() {
						ok = ok && key == strictChunkParsing && value.GetBoolValue()
					}
					return v == nil || ok
				})},
				{"disk_layer admin_layer rtds_layer", refuse(ruleRuntime, whyRuntime)},
			},
		},
		"envoy.config.overload.v3.OverloadManager": {
			free: "refresh_interval buffer_factory_config",
			walk: "resource_monitors actions",
			judged: []judgement{
				{"loadshed_points", notAllowed()},
			},
		},
		"envoy.config.overload.v3.ResourceMonitor": {
			free: "name",
			judged: []judgement{
				{"typed_config", packs(ruleMonitor, saying(whyExtension), nameOf(&connectionsv3.DownstreamConnectionsConfig{}), nameOf(&fixedheapv3.FixedHeapConfig{}))},
			},
		},
		"envoy.config.overload.v3.OverloadAction": {
			free: "name triggers",
			judged: []judgement{
				{"typed_config", whenSet(packs(ruleMonitor, saying(whyExtension), nameOf(&overloadv3.ScaleTimersOverloadActionConfig{})))},
			},
		},
		// What is shortened ends a connection, never the wait for a verdict.
		nameOf(&overloadv3.ScaleTimersOverloadActionConfig{}): {free: "timer_scale_factors"},
		nameOf(&connectionsv3.DownstreamConnectionsConfig{}):  {free: "max_active_downstream_connections"},
		nameOf(&fixedheapv3.FixedHeapConfig{}): {
			free:   "max_heap_size_bytes",
			judged: []judgement{{"max_heap_size_bytes_runtime", notAllowed()}},
		},
	}
}

// strictChunkParsing is the only key of Envoy's runtime that is set: Envoy 1.40 is
// not strict by default.
const strictChunkParsing = "envoy.reloadable_features.strict_chunk_parsing"

func strictChunks(l *bootstrapv3.RuntimeLayer) bool {
	return l.GetStaticLayer().GetFields()[strictChunkParsing].GetBoolValue()
}

// admin is Envoy's interface for whoever runs it: it dumps configuration and
// turns on logs that hold headers.
func admin(j *judge, at string, m proto.Message) {
	a := m.(*bootstrapv3.Admin)
	if a.GetAddress() == nil {
		return // there is none
	}
	switch pipe := a.GetAddress().GetPipe(); {
	case pipe == nil || !strings.HasPrefix(pipe.GetPath(), "/"):
		j.find(at+".address", ruleAdmin, "whoever reaches it can turn on logs that hold headers: want a Unix socket")
	case pipe.GetMode() == 0 || pipe.GetMode()&0o077 != 0:
		j.find(at+".address.pipe.mode", ruleAdmin, "other users can turn on logs that hold headers: want mode 384, which is 0600")
	}
}

func nameOf(m proto.Message) string { return string(m.ProtoReflect().Descriptor().FullName()) }
