package envoy

import (
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	overloadv3 "github.com/envoyproxy/go-control-plane/envoy/config/overload/v3"
	connectionsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3"
	heapv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/fixed_heap/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

const (
	heapMonitor        = "envoy.resource_monitors.fixed_heap"
	connectionsMonitor = "envoy.resource_monitors.global_downstream_max_connections"
)

// smallestTracked is the power of two of bytes from which Envoy knows which
// stream holds how much. It has eight classes, here from 64 KiB to 8 MiB.
const smallestTracked = 16

// overload is what Envoy does when its heap fills, weakest first: it gives
// memory back, then waits less long for those who do nothing, then resets the
// streams that hold most, then refuses requests, then connections.
func (b *builder) overload() *overloadv3.OverloadManager {
	return &overloadv3.OverloadManager{
		RefreshInterval: duration(250 * time.Millisecond),
		ResourceMonitors: []*overloadv3.ResourceMonitor{
			monitor(heapMonitor, b.any(&heapv3.FixedHeapConfig{MaxHeapSizeBytes: b.s.Memory})),
			monitor(connectionsMonitor, b.any(&connectionsv3.DownstreamConnectionsConfig{
				MaxActiveDownstreamConnections: int64(b.s.Connections),
			})),
		},
		BufferFactoryConfig: &overloadv3.BufferFactoryConfig{MinimumAccountToTrackPowerOfTwo: smallestTracked},
		Actions: []*overloadv3.OverloadAction{
			above("envoy.overload_actions.shrink_heap", 0.8),
			b.reduceTimeouts(),
			above("envoy.overload_actions.disable_http_keepalive", 0.9),
			between("envoy.overload_actions.reset_high_memory_stream", 0.9, 0.98),
			above("envoy.overload_actions.stop_accepting_requests", 0.95),
			// To stop accepting would leave clients waiting in the kernel.
			above("envoy.overload_actions.reject_incoming_connections", 0.98),
		},
	}
}

// reduceTimeouts shortens the time for those who hold memory and do nothing. The
// time for a generation is not among it.
func (b *builder) reduceTimeouts() *overloadv3.OverloadAction {
	a := between("envoy.overload_actions.reduce_timeouts", 0.8, 0.95)
	atLeast := func(of overloadv3.ScaleTimersOverloadActionConfig_TimerType, d time.Duration) *overloadv3.ScaleTimersOverloadActionConfig_ScaleTimer {
		return &overloadv3.ScaleTimersOverloadActionConfig_ScaleTimer{
			Timer: of,
			OverloadAdjust: &overloadv3.ScaleTimersOverloadActionConfig_ScaleTimer_MinTimeout{
				MinTimeout: duration(d),
			},
		}
	}
	a.TypedConfig = b.any(&overloadv3.ScaleTimersOverloadActionConfig{
		TimerScaleFactors: []*overloadv3.ScaleTimersOverloadActionConfig_ScaleTimer{
			atLeast(overloadv3.ScaleTimersOverloadActionConfig_HTTP_DOWNSTREAM_CONNECTION_IDLE, 5*time.Second),
			atLeast(overloadv3.ScaleTimersOverloadActionConfig_TRANSPORT_SOCKET_CONNECT, 2*time.Second),
			atLeast(overloadv3.ScaleTimersOverloadActionConfig_HTTP_DOWNSTREAM_STREAM_FLUSH, 5*time.Second),
		},
	})
	return a
}

func monitor(name string, config *anypb.Any) *overloadv3.ResourceMonitor {
	return &overloadv3.ResourceMonitor{Name: name, ConfigType: &overloadv3.ResourceMonitor_TypedConfig{TypedConfig: config}}
}

// above is an action from a share of the heap on.
func above(name string, share float64) *overloadv3.OverloadAction {
	return &overloadv3.OverloadAction{Name: name, Triggers: []*overloadv3.Trigger{{
		Name:         heapMonitor,
		TriggerOneof: &overloadv3.Trigger_Threshold{Threshold: &overloadv3.ThresholdTrigger{Value: share}},
	}}}
}

// between is an action that grows from one share of the heap to another.
func between(name string, from, to float64) *overloadv3.OverloadAction {
	return &overloadv3.OverloadAction{Name: name, Triggers: []*overloadv3.Trigger{{
		Name:         heapMonitor,
		TriggerOneof: &overloadv3.Trigger_Scaled{Scaled: &overloadv3.ScaledTrigger{ScalingThreshold: from, SaturationThreshold: to}},
	}}}
}

// atOnce bounds a cluster's requests. Twice what the processor admits leaves room
// for those that it refuses, for its own paths, and for ends that overlap with
// beginnings: it is to be the processor that says no.
func (b *builder) atOnce() *clusterv3.CircuitBreakers { return breakers(2*b.s.Requests + 128) }

// breakers bound what a cluster does at once.
func breakers(limit uint32) *clusterv3.CircuitBreakers {
	n := number(limit)
	return &clusterv3.CircuitBreakers{Thresholds: []*clusterv3.CircuitBreakers_Thresholds{{
		Priority: corev3.RoutingPriority_DEFAULT, MaxConnections: n, MaxPendingRequests: n, MaxRequests: n, MaxRetries: number(0),
	}}}
}
