package envoy

import (
	"fmt"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	connectionsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3"
	heapv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/fixed_heap/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	upstreamhttpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

// parts are the messages of a bootstrap that the traps lie in, read back from
// the text that Envoy reads.
type parts struct {
	boot     *bootstrapv3.Bootstrap
	listener *listenerv3.Listener
	tls      *tlsv3.DownstreamTlsContext
	hcm      *hcmv3.HttpConnectionManager
	proc     *extprocv3.ExternalProcessor
	router   *routerv3.Router
	limit    *connectionsv3.DownstreamConnectionsConfig
	heap     *heapv3.FixedHeapConfig
	clusters map[string]*clusterv3.Cluster
}

func open[M proto.Message](t *testing.T, a *anypb.Any, into M) M {
	t.Helper()
	if err := a.UnmarshalTo(into); err != nil {
		t.Fatal(err)
	}
	return into
}

func takeApart(t *testing.T, s Settings) *parts {
	t.Helper()
	text, err := Marshal(mustBootstrap(t, s))
	if err != nil {
		t.Fatal(err)
	}
	p := &parts{boot: new(bootstrapv3.Bootstrap), clusters: map[string]*clusterv3.Cluster{}}
	if err := protojson.Unmarshal(text, p.boot); err != nil {
		t.Fatal(err)
	}
	for _, c := range p.boot.GetStaticResources().GetClusters() {
		p.clusters[c.GetName()] = c
	}
	if n := len(p.boot.GetStaticResources().GetListeners()); n != 1 {
		t.Fatalf("%d listeners: one that is not inspected would be enough", n)
	}
	p.listener = p.boot.GetStaticResources().GetListeners()[0]
	if n := len(p.listener.GetFilterChains()); n != 1 {
		t.Fatalf("%d filter chains: one that is not inspected would be enough", n)
	}
	chain := p.listener.GetFilterChains()[0]
	if n := len(chain.GetFilters()); n != 1 {
		t.Fatalf("%d network filters: a proxy before the http one would be a way by", n)
	}
	p.hcm = open(t, chain.GetFilters()[0].GetTypedConfig(), new(hcmv3.HttpConnectionManager))
	p.tls = open(t, chain.GetTransportSocket().GetTypedConfig(), new(tlsv3.DownstreamTlsContext))
	if n := len(p.hcm.GetHttpFilters()); n != 2 {
		t.Fatalf("%d http filters: two ext_proc in one chain lose data, another filter may answer by itself", n)
	}
	p.proc = open(t, p.hcm.GetHttpFilters()[0].GetTypedConfig(), new(extprocv3.ExternalProcessor))
	p.router = open(t, p.hcm.GetHttpFilters()[1].GetTypedConfig(), new(routerv3.Router))
	monitors := p.boot.GetOverloadManager().GetResourceMonitors()
	if len(monitors) != 2 {
		t.Fatalf("%d resource monitors", len(monitors))
	}
	p.heap = open(t, monitors[0].GetTypedConfig(), new(heapv3.FixedHeapConfig))
	p.limit = open(t, monitors[1].GetTypedConfig(), new(connectionsv3.DownstreamConnectionsConfig))
	return p
}

// http2 is the part of a cluster on a Unix socket that says how to speak.
func (p *parts) http2(t *testing.T, cluster string) *corev3.Http2ProtocolOptions {
	t.Helper()
	o := p.clusters[cluster].GetTypedExtensionProtocolOptions()["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]
	return open(t, o, new(upstreamhttpv3.HttpProtocolOptions)).GetExplicitHttpConfig().GetHttp2ProtocolOptions()
}

// show gives a value in words in which unset is not zero.
func show(v any) string {
	type wrapped[T any] interface{ GetValue() T }
	switch v := v.(type) {
	case *durationpb.Duration:
		if v == nil {
			return "unset"
		}
		return v.AsDuration().String()
	case wrapped[uint32]:
		if !v.(proto.Message).ProtoReflect().IsValid() {
			return "unset"
		}
		return fmt.Sprint(v.GetValue())
	case wrapped[bool]:
		if !v.(proto.Message).ProtoReflect().IsValid() {
			return "unset"
		}
		return fmt.Sprint(v.GetValue())
	case proto.Message:
		if !v.ProtoReflect().IsValid() {
			return "unset"
		}
		return "set"
	default:
		return fmt.Sprint(v)
	}
}

// trap is a setting that must be as it is, and what happens where it is not.
type trap struct {
	what string
	got  any
	want string
	why  string
}

func expectTraps(t *testing.T, traps []trap) {
	t.Helper()
	for _, tr := range traps {
		if got := show(tr.got); got != tr.want {
			t.Errorf("%s is %s, want %s: %s", tr.what, got, tr.want, tr.why)
		}
	}
}
