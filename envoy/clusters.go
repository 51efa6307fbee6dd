package envoy

import (
	"encoding/base64"
	"net/netip"
	"net/url"
	"strings"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	metricsv3 "github.com/envoyproxy/go-control-plane/envoy/config/metrics/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	upstreamhttpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// Names of the clusters. Content goes to the first two.
const (
	upstreamCluster = "upstream"
	extProcCluster  = "ext_proc"
	sdsCluster      = "sds"
)

func (b *builder) bootstrap() *bootstrapv3.Bootstrap {
	return &bootstrapv3.Bootstrap{
		Node: &corev3.Node{Id: "confidential-safety", Cluster: "confidential-safety"},
		StaticResources: &bootstrapv3.Bootstrap_StaticResources{
			Listeners: []*listenerv3.Listener{b.listener()},
			Clusters: []*clusterv3.Cluster{
				b.upstream(),
				b.socketCluster(extProcCluster, b.s.ExtProcSocket, b.atOnce()),
				b.socketCluster(sdsCluster, b.s.SDSSocket, breakers(sdsAtOnce)),
			},
		},
		// Without a layer Envoy makes one that the admin can write to, and with
		// it turn off guards of ext_proc.
		LayeredRuntime: &bootstrapv3.LayeredRuntime{Layers: []*bootstrapv3.RuntimeLayer{{
			Name: "fixed",
			LayerSpecifier: &bootstrapv3.RuntimeLayer_StaticLayer{StaticLayer: &structpb.Struct{Fields: map[string]*structpb.Value{
				// Without it Envoy 1.40 skips bytes between a chunk and the next,
				// in which another server may see a request.
				"envoy.reloadable_features.strict_chunk_parsing": structpb.NewBoolValue(true),
			}}},
		}}},
		// The admin can dump configuration and change the log level: a private
		// socket, and no access log.
		Admin: &bootstrapv3.Admin{Address: pipe(b.s.AdminSocket)},
		StatsConfig: &metricsv3.StatsConfig{StatsMatcher: &metricsv3.StatsMatcher{
			StatsMatcher: &metricsv3.StatsMatcher_InclusionList{InclusionList: &matcherv3.ListStringMatcher{
				Patterns: []*matcherv3.StringMatcher{
					statPrefix("server."), statPrefix("listener_manager."), statPrefix("http.inspected."), statPrefix("cluster."),
				},
			}},
		}},
		OverloadManager: b.overload(),
	}
}

// sdsAtOnce is plenty: there is one stream, for one secret.
const sdsAtOnce = 8

func statPrefix(prefix string) *matcherv3.StringMatcher {
	return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: prefix}}
}

// socketCluster is one of the sidecar's own services, on a Unix socket.
func (b *builder) socketCluster(name, path string, limits *clusterv3.CircuitBreakers) *clusterv3.Cluster {
	return &clusterv3.Cluster{
		Name:                 name,
		ConnectTimeout:       duration(time.Second),
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC},
		LoadAssignment:       assignment(name, pipe(path)),
		// Every exchange is a stream here for as long as it lasts; the default
		// of 1,024 would be the limit of long generations.
		CircuitBreakers: limits,
		TypedExtensionProtocolOptions: b.protocol(&upstreamhttpv3.HttpProtocolOptions{
			UpstreamProtocolOptions: &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig_{
				ExplicitHttpConfig: &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig{
					ProtocolConfig: &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
						Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
							// Bounds what Envoy buffers for a processor that
							// does not read: 18 MB a stream by default.
							InitialStreamWindowSize:     number(64 << 10),
							InitialConnectionWindowSize: number(16 << 20),
							// A stopped processor is noticed within two seconds.
							ConnectionKeepalive: &corev3.KeepaliveSettings{
								Interval: duration(time.Second), Timeout: duration(time.Second),
							},
						},
					},
				},
			},
		}),
	}
}

func (b *builder) protocol(o *upstreamhttpv3.HttpProtocolOptions) map[string]*anypb.Any {
	return map[string]*anypb.Any{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": b.any(o)}
}

// upstream is the model's server.
func (b *builder) upstream() *clusterv3.Cluster {
	host := b.s.Upstream.Hostname()
	port, err := upstreamPort(b.s.Upstream)
	if err != nil && b.err == nil {
		b.err = err
	}
	discovery := clusterv3.Cluster_STRICT_DNS
	if _, err := netip.ParseAddr(host); err == nil {
		discovery = clusterv3.Cluster_STATIC
	}
	c := &clusterv3.Cluster{
		Name:                 upstreamCluster,
		ConnectTimeout:       duration(5 * time.Second),
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: discovery},
		DnsLookupFamily:      clusterv3.Cluster_V4_PREFERRED,
		LoadAssignment: assignment(upstreamCluster, &corev3.Address{Address: &corev3.Address_SocketAddress{
			SocketAddress: &corev3.SocketAddress{
				Address: host, PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port},
			},
		}}),
		CircuitBreakers:               b.atOnce(),
		PerConnectionBufferLimitBytes: number(256 << 10),
		TypedExtensionProtocolOptions: b.protocol(&upstreamhttpv3.HttpProtocolOptions{
			UpstreamProtocolOptions: &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig_{
				ExplicitHttpConfig: &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig{
					ProtocolConfig: &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig_HttpProtocolOptions{
						HttpProtocolOptions: &corev3.Http1ProtocolOptions{},
					},
				},
			},
		}),
	}
	if b.s.Upstream.Scheme == "https" {
		c.TransportSocket = &corev3.TransportSocket{
			Name:       "envoy.transport_sockets.tls",
			ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: b.any(b.upstreamTLS(host))},
		}
	}
	return c
}

func (b *builder) upstreamTLS(host string) *tlsv3.UpstreamTlsContext {
	trust := &tlsv3.CertificateValidationContext{}
	if len(b.s.UpstreamCA) > 0 {
		san := tlsv3.SubjectAltNameMatcher_DNS
		if addr, err := netip.ParseAddr(host); err == nil {
			// Envoy compares the text, and writes addresses in this form.
			san, host = tlsv3.SubjectAltNameMatcher_IP_ADDRESS, addr.String()
		}
		trust.TrustedCa = &corev3.DataSource{Specifier: &corev3.DataSource_InlineBytes{InlineBytes: b.s.UpstreamCA}}
		trust.MatchTypedSubjectAltNames = []*tlsv3.SubjectAltNameMatcher{{
			SanType: san,
			Matcher: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: host}},
		}}
	}
	if len(b.s.UpstreamSPKI) > 0 {
		trust.VerifyCertificateSpki = []string{base64.StdEncoding.EncodeToString(b.s.UpstreamSPKI)}
	}
	c := &tlsv3.UpstreamTlsContext{
		CommonTlsContext: &tlsv3.CommonTlsContext{
			TlsParams: &tlsv3.TlsParameters{
				TlsMinimumProtocolVersion: tlsv3.TlsParameters_TLSv1_2,
				TlsMaximumProtocolVersion: tlsv3.TlsParameters_TLSv1_3,
			},
			AlpnProtocols:         []string{"http/1.1"},
			ValidationContextType: &tlsv3.CommonTlsContext_ValidationContext{ValidationContext: trust},
		},
	}
	if _, err := netip.ParseAddr(host); err != nil {
		c.Sni = host
	}
	return c
}

// upstreamPrefix is what stands before a route's path in the upstream's. A base
// that ends in /v1, as SDKs want it, means the same as one without.
func upstreamPrefix(u *url.URL) string {
	return strings.TrimSuffix(strings.TrimSuffix(strings.TrimRight(u.EscapedPath(), "/"), "/v1"), "/")
}

func pipe(path string) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_Pipe{Pipe: &corev3.Pipe{Path: path, Mode: 0o600}}}
}

func assignment(cluster string, a *corev3.Address) *endpointv3.ClusterLoadAssignment {
	return &endpointv3.ClusterLoadAssignment{
		ClusterName: cluster,
		Endpoints: []*endpointv3.LocalityLbEndpoints{{
			LbEndpoints: []*endpointv3.LbEndpoint{{
				HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: a}},
			}},
		}},
	}
}
