package lint

import (
	"regexp"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
)

const whyFormat = "the operator puts something of a request or response where nobody reads it"

func replyTables() map[string]table {
	return map[string]table{
		nameOf(&hcmv3.LocalReplyConfig{}): {walk: "mappers body_format"},
		nameOf(&hcmv3.ResponseMapper{}): {
			walk: "filter body body_format_override headers_to_add",
			judged: []judgement{
				{"status_code", must(ruleStatusOnError, "a failure would look like an answer: want a status of 400 or above", unsetOr(func(v any) bool {
					status, ok := v.(uint32)
					return ok && status >= 400
				}))},
			},
		},
		"envoy.config.accesslog.v3.AccessLogFilter": {
			free: "status_code_filter duration_filter not_health_check_filter runtime_filter response_flag_filter grpc_status_filter",
			walk: "and_filter or_filter header_filter",
			judged: []judgement{
				{"extension_filter", refuse(ruleExtension, whyExtension)},
				{"traceable_filter metadata_filter log_type_filter", notAllowed()},
			},
		},
		"envoy.config.accesslog.v3.AndFilter":    {walk: "filters"},
		"envoy.config.accesslog.v3.OrFilter":     {walk: "filters"},
		"envoy.config.accesslog.v3.HeaderFilter": {walk: "header"},
		"envoy.config.core.v3.SubstitutionFormatString": {
			free: "omit_empty_values content_type json_format_options",
			judged: []judgement{
				{"text_format", must(ruleFormat, whyFormat, harmless)},
				{"text_format_source", formatted},
				{"json_format", must(ruleFormat, whyFormat, unsetOr(harmlessStruct))},
				{"formatters", refuse(ruleExtension, whyExtension)},
			},
		},
		"envoy.config.core.v3.HeaderValueOption": {
			free: "append append_action keep_empty_value",
			walk: "header",
		},
		"envoy.config.core.v3.HeaderValue": {
			free: "key",
			judged: []judgement{
				{"value raw_value", must(ruleFormat, whyFormat, harmless)},
			},
		},
	}
}

// operator matches one of Envoy's command operators that carries nothing of a
// request or response but its id, or a percent sign.
var operator = regexp.MustCompile(`%(%|(UNIQUE_ID|RESPONSE_CODE|RESPONSE_FLAGS|PROTOCOL|LOCAL_REPLY_BODY|START_TIME(\([^()]*\))?|REQ\((?i:x-request-id)\))%)`)

func harmless(v any) bool {
	text, ok := v.(string)
	if raw, isRaw := v.([]byte); isRaw {
		text, ok = string(raw), true
	}
	return ok && !strings.Contains(operator.ReplaceAllString(text, ""), "%")
}

func harmlessStruct(v any) bool {
	s, ok := v.(*structpb.Struct)
	return ok && harmlessValue(structpb.NewStructValue(s))
}

func harmlessValue(v *structpb.Value) bool {
	for _, member := range v.GetStructValue().GetFields() {
		if !harmlessValue(member) {
			return false
		}
	}
	for _, element := range v.GetListValue().GetValues() {
		if !harmlessValue(element) {
			return false
		}
	}
	return harmless(v.GetStringValue())
}

// formatted judges a data source whose text is a format.
func formatted(j *judge, at string, m protoreflect.Message, f protoreflect.FieldDescriptor) {
	each(at, m, f, func(at string, m protoreflect.Message) {
		j.message(at, m)
		if s, ok := m.Interface().(*corev3.DataSource); ok && (!harmless(s.GetInlineString()) || !harmless(s.GetInlineBytes())) {
			j.find(at, ruleFormat, whyFormat)
		}
	})
}
