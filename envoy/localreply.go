package envoy

import (
	"encoding/json"
	"slices"
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

// ownReply is a reply of Envoy's own.
type ownReply struct {
	when   *accesslogv3.AccessLogFilter
	status uint32
	body   string // in OpenAI's form
	id     string // of the request
	later  bool   // it says when to come again
}

// localReplies gives Envoy's own replies the forms of the processor's. There is no
// form for all the rest: it would be put on the processor's replies as well.
func (b *builder) localReplies() *hcmv3.LocalReplyConfig {
	var mappers []*hcmv3.ResponseMapper
	for _, r := range []ownReply{
		// Only ext_proc answers 500: the processor is dead, or closed the
		// stream because something failed.
		// Its id is made for it: the request's may be the client's own, if
		// Envoy gave up on it early.
		{whenStatus(500), 503, b.uncheckedBody(), uniqueID, false},
		{whenFlags("UT", "SI", "UMSDR", "DT"), 504, upstreamTimeout, requestID, false},
		{whenFlags("UF", "UH", "UC", "LR", "UR", "URX", "NC", "UPE", "NR"), 502, upstreamFailed, requestID, false},
		// Over the limits of a cluster, behind the processor; and of the heap,
		// before it and before the request gets an id.
		{whenFlags("UO"), 503, overloaded, requestID, true},
		{allOf(whenStatus(503), without("x-request-id")), 503, overloaded, uniqueID, true},
	} {
		for _, path := range b.anthropicPaths() {
			mappers = append(mappers, r.anthropic(path)) // the first that fits counts
		}
		mappers = append(mappers, r.mapper())
	}
	return &hcmv3.LocalReplyConfig{Mappers: mappers}
}

// anthropicPaths are the paths, without query strings, whose errors have the form
// of Anthropic's API.
func (b *builder) anthropicPaths() (paths []string) {
	for _, r := range b.s.Routes {
		path, _, _ := strings.Cut(r.Path, "?")
		if r.Anthropic && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// Ids of requests: that of one which the processor has let go on, and so ours; and
// one that Envoy makes.
const (
	requestID = "%REQ(X-REQUEST-ID)%"
	uniqueID  = "%UNIQUE_ID%"
)

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

func (r ownReply) mapper() *hcmv3.ResponseMapper {
	m := &hcmv3.ResponseMapper{
		Filter:       r.when,
		StatusCode:   number(r.status),
		HeadersToAdd: []*corev3.HeaderValueOption{overwrite("x-request-id", r.id)},
		BodyFormatOverride: &corev3.SubstitutionFormatString{
			Format: &corev3.SubstitutionFormatString_TextFormatSource{TextFormatSource: &corev3.DataSource{
				Specifier: &corev3.DataSource_InlineString{InlineString: r.body},
			}},
			ContentType: "application/json",
		},
	}
	if r.later {
		m.HeadersToAdd = append(m.HeadersToAdd, overwrite("retry-after", "1"))
	}
	return m
}

// anthropic is the reply to requests for the path, whose errors are in the form of
// Anthropic's API. The path may have been given the upstream's prefix by then.
func (r ownReply) anthropic(path string) *hcmv3.ResponseMapper {
	r.when = allOf(r.when, &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_HeaderFilter{
		HeaderFilter: &accesslogv3.HeaderFilter{Header: &routev3.HeaderMatcher{
			Name: ":path",
			HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{StringMatch: &matcherv3.StringMatcher{
				MatchPattern: &matcherv3.StringMatcher_Contains{Contains: path},
			}},
		}},
	}})
	id := `null` // one that is made for the reply is another wherever it stands
	if r.id != uniqueID {
		id = `"` + r.id + `"`
	}
	r.body = `{"type":"error",` + strings.TrimSuffix(strings.TrimPrefix(r.body, "{"), "}") + `,"request_id":` + id + `}`
	m := r.mapper()
	if r.id != uniqueID {
		m.HeadersToAdd = append(m.HeadersToAdd, overwrite("request-id", r.id))
	}
	return m
}

func overwrite(header, value string) *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: header, Value: value},
		AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
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
	return overwrite("content-type", "application/json")
}
