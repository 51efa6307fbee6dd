package lint

import (
	"fmt"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	upstreamhttpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Bounds of a cluster on a socket.
const (
	maxKeepalive = 10 * time.Second
	maxWindow    = 1 << 20
)

// service notes that a gRPC service leads to a cluster.
func service(j *judge, at string, m protoreflect.Message, f protoreflect.FieldDescriptor) {
	name := m.Get(f).String()
	if _, ok := j.cluster(name); !ok {
		j.find(at, ruleUnknownCluster, "there is no such cluster to be judged")
	}
	j.services[name] = true
}

// together judges what only the whole shows: the clusters of the sidecar's own
// services, and that no route leads there.
func (j *judge) together() {
	for i, c := range j.clusters {
		if !j.services[c.GetName()] {
			continue
		}
		j.socket(c, fmt.Sprintf("static_resources.clusters[%d]", i))
		if at, ok := j.routed[c.GetName()]; ok {
			j.find(at, ruleClusterRole, "clients would reach the processor, or the TLS key")
		}
	}
}

// socket judges a cluster of the sidecar's: it must lead to this machine, and
// notice when the sidecar is dead.
func (j *judge) socket(c *clusterv3.Cluster, path string) {
	groups := c.GetLoadAssignment().GetEndpoints()
	if c.GetType() != clusterv3.Cluster_STATIC || c.GetTransportSocket() != nil ||
		len(groups) != 1 || len(groups[0].GetLbEndpoints()) != 1 || groups[0].GetLbEndpoints()[0].GetEndpoint().GetAddress().GetPipe() == nil {
		j.find(path, ruleSocket, "another than the sidecar could answer there: want STATIC with one pipe")
	}
	j.socketHTTP2(c, path)
	for _, t := range c.GetCircuitBreakers().GetThresholds() {
		if t.GetPriority() == corev3.RoutingPriority_DEFAULT && t.GetMaxConnections() != nil && t.GetMaxPendingRequests() != nil && t.GetMaxRequests() != nil {
			return
		}
	}
	j.find(path+".circuit_breakers", ruleLimits,
		"every exchange is a stream there, and by default the 1025th fails: want max_connections, max_pending_requests and max_requests")
}

func (j *judge) socketHTTP2(c *clusterv3.Cluster, path string) {
	path += ".typed_extension_protocol_options"
	options := new(upstreamhttpv3.HttpProtocolOptions)
	if packed := c.GetTypedExtensionProtocolOptions()[protocolKey]; packed == nil || packed.UnmarshalTo(options) != nil ||
		options.GetExplicitHttpConfig().GetHttp2ProtocolOptions() == nil {
		j.find(path, ruleHTTP2, "gRPC needs HTTP/2: want explicit_http_config with http2_protocol_options")
		return
	}
	http2 := options.GetExplicitHttpConfig().GetHttp2ProtocolOptions()
	within := func(d time.Duration) bool { return d > 0 && d <= maxKeepalive }
	if k := http2.GetConnectionKeepalive(); !within(k.GetInterval().AsDuration()) || !within(k.GetTimeout().AsDuration()) {
		j.find(path, ruleKeepalive, "a processor that has stopped would never be noticed: want connection_keepalive with interval and timeout of 1s, say")
	}
	if w := http2.GetInitialStreamWindowSize(); w == nil || w.GetValue() > maxWindow || http2.GetInitialConnectionWindowSize() == nil {
		j.find(path, ruleWindow, "Envoy would hold megabytes of each stream for a processor that does not read: "+
			"want initial_stream_window_size of 65536, say, and initial_connection_window_size")
	}
}
