package envoy

import (
	"testing"

	overloadv3 "github.com/envoyproxy/go-control-plane/envoy/config/overload/v3"
)

// What Envoy does when its heap fills, and from which share of it on.
func TestTrapsOfTheOverloadManager(t *testing.T) {
	p := takeApart(t, settings())
	m := p.boot.GetOverloadManager()
	expectTraps(t, []trap{
		{"max_heap_size_bytes", p.heap.GetMaxHeapSizeBytes(), "1073741824", "nothing else bounds Envoy's memory"},
		{"refresh_interval", m.GetRefreshInterval(), "250ms", "a second by default, in which a gigabyte can arrive"},
		{"tracked from", m.GetBufferFactoryConfig().GetMinimumAccountToTrackPowerOfTwo(), "16", "without it no stream is reset"},
		{"load_shed_points", len(m.GetLoadshedPoints()), "0", "the actions do it"},
		{"actions", len(m.GetActions()), "6", "each has a row below"},
	})
	type share struct{ from, to float64 }
	want := map[string]share{
		"envoy.overload_actions.shrink_heap":                 {0.8, 0},
		"envoy.overload_actions.reduce_timeouts":             {0.8, 0.95},
		"envoy.overload_actions.disable_http_keepalive":      {0.9, 0},
		"envoy.overload_actions.reset_high_memory_stream":    {0.9, 0.98},
		"envoy.overload_actions.stop_accepting_requests":     {0.95, 0},
		"envoy.overload_actions.reject_incoming_connections": {0.98, 0},
	}
	for _, a := range m.GetActions() {
		if len(a.GetTriggers()) != 1 || a.GetTriggers()[0].GetName() != heapMonitor {
			t.Errorf("%s: triggers %v", a.GetName(), a.GetTriggers())
			continue
		}
		tr := a.GetTriggers()[0]
		got := share{tr.GetThreshold().GetValue() + tr.GetScaled().GetScalingThreshold(), tr.GetScaled().GetSaturationThreshold()}
		if got != want[a.GetName()] {
			t.Errorf("%s from %v, want %v", a.GetName(), got, want[a.GetName()])
		}
		if a.GetName() == "envoy.overload_actions.reduce_timeouts" {
			for _, f := range open(t, a.GetTypedConfig(), new(overloadv3.ScaleTimersOverloadActionConfig)).GetTimerScaleFactors() {
				if f.GetTimer() == overloadv3.ScaleTimersOverloadActionConfig_HTTP_DOWNSTREAM_STREAM_IDLE {
					t.Error("a model that thinks would be cut off")
				}
			}
		}
	}
}
