package envoy

import (
	"strings"
	"time"

	mutationv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// tlsSecretName is the name of the secret that holds the listener's key.
const tlsSecretName = "tls"

// Names of the listener and of its two http filters.
const (
	listenerName = "confidential_safety"
	extProcName  = "envoy.filters.http.ext_proc"
	routerName   = "envoy.filters.http.router"
)

// listener is the only listener: TLS, one filter chain, one way through it.
func (b *builder) listener() *listenerv3.Listener {
	host, port, err := splitAddress(b.s.Listen)
	if err != nil && b.err == nil {
		b.err = err
	}
	return &listenerv3.Listener{
		Name: listenerName,
		Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
			Address:       host,
			PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port},
		}}},
		// What Envoy buffers of a connection whose other side does not read.
		PerConnectionBufferLimitBytes: number(256 << 10),
		FilterChains: []*listenerv3.FilterChain{{
			Name:                          "tls",
			TransportSocketConnectTimeout: duration(10 * time.Second),
			TransportSocket: &corev3.TransportSocket{
				Name:       "envoy.transport_sockets.tls",
				ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: b.any(downstreamTLS())},
			},
			Filters: []*listenerv3.Filter{{
				Name:       "envoy.filters.network.http_connection_manager",
				ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: b.any(b.connectionManager())},
			}},
		}},
	}
}

func downstreamTLS() *tlsv3.DownstreamTlsContext {
	return &tlsv3.DownstreamTlsContext{
		CommonTlsContext: &tlsv3.CommonTlsContext{
			TlsParams: &tlsv3.TlsParameters{
				TlsMinimumProtocolVersion: tlsv3.TlsParameters_TLSv1_2,
				TlsMaximumProtocolVersion: tlsv3.TlsParameters_TLSv1_3,
			},
			AlpnProtocols: []string{"h2", "http/1.1"},
			TlsCertificateSdsSecretConfigs: []*tlsv3.SdsSecretConfig{{
				Name: tlsSecretName,
				SdsConfig: &corev3.ConfigSource{
					ResourceApiVersion: corev3.ApiVersion_V3,
					// 0 waits for the key. With a timeout Envoy turns live
					// without one and fails every handshake.
					InitialFetchTimeout: duration(0),
					ConfigSourceSpecifier: &corev3.ConfigSource_ApiConfigSource{ApiConfigSource: &corev3.ApiConfigSource{
						ApiType:             corev3.ApiConfigSource_GRPC,
						TransportApiVersion: corev3.ApiVersion_V3,
						GrpcServices:        []*corev3.GrpcService{grpcService(sdsCluster)},
					}},
				},
			}},
		},
		// A resumed session would outlive the key that it was made under.
		SessionTicketKeysType:            &tlsv3.DownstreamTlsContext_DisableStatelessSessionResumption{DisableStatelessSessionResumption: true},
		DisableStatefulSessionResumption: true,
	}
}

func grpcService(cluster string) *corev3.GrpcService {
	return &corev3.GrpcService{TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{
		EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: cluster},
	}}
}

func (b *builder) connectionManager() *hcmv3.HttpConnectionManager {
	return &hcmv3.HttpConnectionManager{
		CodecType:      hcmv3.HttpConnectionManager_AUTO,
		StatPrefix:     "inspected",
		RouteSpecifier: &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: b.routes()},
		HttpFilters: []*hcmv3.HttpFilter{
			{Name: extProcName, ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: b.any(externalProcessor())}},
			{Name: routerName, ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: b.any(&routerv3.Router{
				DynamicStats:         wrapperspb.Bool(false),
				SuppressEnvoyHeaders: true,
			})}},
		},
		LocalReplyConfig: b.localReplies(),

		// The client's own x-request-id and x-forwarded-for count for nothing;
		// without use_remote_address its request id would survive.
		UseRemoteAddress:          wrapperspb.Bool(true),
		SkipXffAppend:             true,
		PreserveExternalRequestId: false,
		GenerateRequestId:         wrapperspb.Bool(true),
		// The processor sets its own; Envoy would put another over that.
		AlwaysSetRequestIdInResponse:    false,
		ServerHeaderTransformation:      hcmv3.HttpConnectionManager_OVERWRITE,
		ServerName:                      "confidential-safety",
		AddUserAgent:                    wrapperspb.Bool(false),
		StreamErrorOnInvalidHttpMessage: wrapperspb.Bool(false),

		// Paths are compared byte by byte, so none is rewritten into another.
		NormalizePath:                wrapperspb.Bool(false),
		MergeSlashes:                 false,
		PathWithEscapedSlashesAction: hcmv3.HttpConnectionManager_KEEP_UNCHANGED,

		CommonHttpProtocolOptions: &corev3.HttpProtocolOptions{
			IdleTimeout:     duration(5 * time.Minute),
			MaxHeadersCount: number(b.s.Headers),
			// A client that does not read stops the processor in the middle of an
			// answer, where its own deadlines do not reach.
			MaxStreamDuration:            duration(b.s.StreamMax),
			HeadersWithUnderscoresAction: corev3.HttpProtocolOptions_REJECT_REQUEST,
		},
		MaxRequestHeadersKb: number(b.s.HeaderKB),
		HttpProtocolOptions: &corev3.Http1ProtocolOptions{
			AllowAbsoluteUrl:                        wrapperspb.Bool(false),
			AcceptHttp_10:                           false,
			EnableTrailers:                          false,
			AllowChunkedLength:                      false,
			OverrideStreamErrorOnInvalidHttpMessage: wrapperspb.Bool(false),
		},
		Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
			MaxConcurrentStreams:                    number(b.s.ConnectionStreams),
			InitialStreamWindowSize:                 number(64 << 10),
			InitialConnectionWindowSize:             number(1 << 20),
			AllowConnect:                            false,
			AllowMetadata:                           false,
			OverrideStreamErrorOnInvalidHttpMessage: wrapperspb.Bool(false),
		},

		RequestHeadersTimeout: duration(10 * time.Second),
		// The processor has its own deadlines for bodies; this one must not
		// cut a long generation.
		RequestTimeout:    duration(0),
		StreamIdleTimeout: duration(b.s.StreamIdle),
		// The end of an answer that the client does not read.
		StreamFlushTimeout:  duration(5 * time.Minute),
		DrainTimeout:        duration(b.s.DrainTimeout),
		DelayedCloseTimeout: duration(time.Second),
	}
}

// externalProcessor is the one filter that everything passes.
func externalProcessor() *extprocv3.ExternalProcessor {
	return &extprocv3.ExternalProcessor{
		GrpcService:      grpcService(extProcCluster),
		FailureModeAllow: false,
		ProcessingMode: &extprocv3.ProcessingMode{
			RequestHeaderMode:   extprocv3.ProcessingMode_SEND,
			RequestBodyMode:     extprocv3.ProcessingMode_FULL_DUPLEX_STREAMED,
			RequestTrailerMode:  extprocv3.ProcessingMode_SEND,
			ResponseHeaderMode:  extprocv3.ProcessingMode_SEND,
			ResponseBodyMode:    extprocv3.ProcessingMode_FULL_DUPLEX_STREAMED,
			ResponseTrailerMode: extprocv3.ProcessingMode_SEND,
		},
		StatPrefix: "inspect",
		// In full duplex Envoy applies neither; both are explicit all the same,
		// for one that would.
		MessageTimeout:    duration(time.Minute),
		MaxMessageTimeout: duration(time.Minute),
		MutationRules: &mutationv3.HeaderMutationRules{
			AllowAllRouting: wrapperspb.Bool(false),
			AllowEnvoy:      wrapperspb.Bool(true), // to drop x-envoy-* of clients
			DisallowSystem:  wrapperspb.Bool(false),
			DisallowAll:     wrapperspb.Bool(false),
			DisallowIsError: wrapperspb.Bool(true),
		},
		// The processor sets it to what it lets go on, or takes it away.
		AllowContentLengthHeader:                true,
		AllowModeOverride:                       false,
		DisableImmediateResponse:                false,
		ObservabilityMode:                       false,
		RouteCacheAction:                        extprocv3.ExternalProcessor_RETAIN,
		SendBodyWithoutWaitingForHeaderResponse: false,
	}
}

// routes is the allow-list. What is not on it ends here, even if the processor
// were to let it go on.
func (b *builder) routes() *routev3.RouteConfiguration {
	host := &routev3.VirtualHost{Name: "all", Domains: []string{"*"}}
	prefix := upstreamPrefix(b.s.Upstream)
	for _, r := range b.s.Routes {
		path, _, _ := strings.Cut(r.Path, "?")
		action := &routev3.RouteAction{
			ClusterSpecifier:     &routev3.RouteAction_Cluster{Cluster: upstreamCluster},
			HostRewriteSpecifier: &routev3.RouteAction_HostRewriteLiteral{HostRewriteLiteral: b.s.Upstream.Host},
			// 0: a generation may take long. The processor's deadlines apply.
			Timeout:     duration(0),
			IdleTimeout: duration(b.s.StreamIdle),
		}
		if prefix != "" {
			action.PrefixRewrite = prefix + path
		}
		host.Routes = append(host.Routes, &routev3.Route{
			Match: &routev3.RouteMatch{
				PathSpecifier: &routev3.RouteMatch_Path{Path: path},
				CaseSensitive: wrapperspb.Bool(true),
				// The path specifier leaves out the query string, :path not.
				Headers: []*routev3.HeaderMatcher{exactly(":path", r.Path), exactly(":method", r.Method)},
			},
			Action: &routev3.Route_Route{Route: action},
		})
	}
	host.Routes = append(host.Routes, &routev3.Route{
		Match: &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: ""}},
		Action: &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{
			Status: 404,
			Body:   &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: notFoundBody}},
		}},
		ResponseHeadersToAdd: []*corev3.HeaderValueOption{jsonContentType()},
	})
	return &routev3.RouteConfiguration{Name: "inspected", VirtualHosts: []*routev3.VirtualHost{host}}
}
