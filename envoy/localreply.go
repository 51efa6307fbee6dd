package envoy

import (
	"encoding/json"
	"strings"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
)

// notFoundBody is what the processor answers to an unknown path, for a request
// that it let go on to none.
const notFoundBody = `{"error":{"message":"There is nothing here.","type":"invalid_request_error","code":"not_found","param":null}}`

// Bodies of the replies that Envoy gives by itself. %...% is Envoy's to fill
// in, see its access log documentation, "command operators".
const (
	upstreamFailed  = `{"error":{"message":"The model server gave no answer that could be read.","type":"upstream_error","code":"upstream_failed","param":null}}`
	upstreamTimeout = `{"error":{"message":"The model server took too long to answer.","type":"upstream_error","code":"upstream_timeout","param":null}}`
	overloaded      = `{"error":{"message":"Too much is being checked at once.","type":"overloaded_error","code":"overloaded","param":null}}`
)

// localReplies gives Envoy's own replies the forms of the processor's. There is no
// form for all the rest: it would be put on the processor's replies as well.
func (b *builder) localReplies() *hcmv3.LocalReplyConfig {
	return &hcmv3.LocalReplyConfig{Mappers: []*hcmv3.ResponseMapper{
		// Only ext_proc answers 500: the processor is dead, or closed the
		// stream because something failed.
		// Its id is made for it: the request's may be the client's own, if
		// Envoy gave up on it early.
		mapper(whenStatus(500), 503, b.uncheckedBody(), "%UNIQUE_ID%"),
		mapper(whenFlags("UT", "SI", "UMSDR", "DT"), 504, upstreamTimeout, requestID),
		mapper(whenFlags("UF", "UH", "UC", "LR", "UR", "URX", "NC", "UPE", "NR"), 502, upstreamFailed, requestID),
		// Over the limits of a cluster, behind the processor; and of the heap,
		// before it and before the request gets an id.
		later(mapper(whenFlags("UO"), 503, overloaded, requestID)),
		later(mapper(allOf(whenStatus(503), without("x-request-id")), 503, overloaded, "%UNIQUE_ID%")),
	}}
}

// requestID is that of a request which the processor has let go on, and so ours.
const requestID = "%REQ(X-REQUEST-ID)%"

// uncheckedBody is the 503 of a processor that could not be asked.
func (b *builder) uncheckedBody() string {
	version, err := json.Marshal(b.s.PolicyVersion)
	if err != nil && b.err == nil {
		b.err = err
	}
	return `{"error":{"message":"This request could not be checked and was not processed.","type":"safety_unavailable","code":"not_checked","param":null},` +
		`"safety":{"verdict_id":"%UNIQUE_ID%","stage":"PRE_INFERENCE_GATE","risk_category":"UNAVAILABLE","action":"BLOCK",` +
		`"policy_version":` + strings.ReplaceAll(string(version), "%", "%%") + `,"timestamp":"%START_TIME(%Y-%m-%dT%H:%M:%SZ)%"}}`
}

func mapper(when *accesslogv3.AccessLogFilter, status uint32, body, id string) *hcmv3.ResponseMapper {
	return &hcmv3.ResponseMapper{
		Filter:     when,
		StatusCode: number(status),
		HeadersToAdd: []*corev3.HeaderValueOption{{
			Header:       &corev3.HeaderValue{Key: "x-request-id", Value: id},
			AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
		}},
		BodyFormatOverride: &corev3.SubstitutionFormatString{
			Format: &corev3.SubstitutionFormatString_TextFormatSource{TextFormatSource: &corev3.DataSource{
				Specifier: &corev3.DataSource_InlineString{InlineString: body},
			}},
			ContentType: "application/json",
		},
	}
}

// later has a reply say when to come again.
func later(m *hcmv3.ResponseMapper) *hcmv3.ResponseMapper {
	m.HeadersToAdd = append(m.HeadersToAdd, &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: "retry-after", Value: "1"},
		AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	})
	return m
}

func whenStatus(status uint32) *accesslogv3.AccessLogFilter {
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_StatusCodeFilter{
		StatusCodeFilter: &accesslogv3.StatusCodeFilter{Comparison: &accesslogv3.ComparisonFilter{
			Op:    accesslogv3.ComparisonFilter_EQ,
			Value: &corev3.RuntimeUInt32{DefaultValue: status, RuntimeKey: "confidential_safety.unused"},
		}},
	}}
}

// without is true of requests that do not have the header.
func without(header string) *accesslogv3.AccessLogFilter {
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_HeaderFilter{
		HeaderFilter: &accesslogv3.HeaderFilter{Header: &routev3.HeaderMatcher{
			Name: header, HeaderMatchSpecifier: &routev3.HeaderMatcher_PresentMatch{PresentMatch: false},
		}},
	}}
}

func allOf(a, b *accesslogv3.AccessLogFilter) *accesslogv3.AccessLogFilter {
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_AndFilter{
		AndFilter: &accesslogv3.AndFilter{Filters: []*accesslogv3.AccessLogFilter{a, b}},
	}}
}

func whenFlags(flags ...string) *accesslogv3.AccessLogFilter {
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_ResponseFlagFilter{
		ResponseFlagFilter: &accesslogv3.ResponseFlagFilter{Flags: flags},
	}}
}

func exactly(header, value string) *routev3.HeaderMatcher {
	return &routev3.HeaderMatcher{
		Name: header,
		HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{StringMatch: &matcherv3.StringMatcher{
			MatchPattern: &matcherv3.StringMatcher_Exact{Exact: value},
		}},
	}
}

func jsonContentType() *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: "content-type", Value: "application/json"},
		AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
}
