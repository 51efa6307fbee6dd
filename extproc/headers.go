package extproc

import (
	"errors"
	"mime"
	"regexp"
	"strconv"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

// header returns the values of the named header, of which Envoy gives the name
// in lower case.
func header(m *corev3.HeaderMap, name string) (values []string) {
	for _, h := range m.GetHeaders() {
		if h.GetKey() == name {
			values = append(values, value(h))
		}
	}
	return values
}

func value(h *corev3.HeaderValue) string {
	if len(h.GetRawValue()) > 0 {
		return string(h.GetRawValue())
	}
	return h.GetValue()
}

// first returns the first value of the named header, or "".
func first(m *corev3.HeaderMap, name string) string {
	if v := header(m, name); len(v) > 0 {
		return v[0]
	}
	return ""
}

// requestHeaders are those that go on to the upstream, where their value has the
// given form. Any other is dropped: it would arrive unread, and some (x-envoy-*)
// would steer Envoy itself. The forms have no room for a sentence; a credential is
// one run of characters, and means nothing to a model.
var requestHeaders = map[string]*regexp.Regexp{
	"accept":              regexp.MustCompile(`^(\*/\*|application/json|text/event-stream|;q=[0-9.]{1,5}|, ?)*$`),
	"authorization":       regexp.MustCompile(`^[A-Za-z]{1,16} [A-Za-z0-9._~+/=:|-]+$`),
	"x-api-key":           regexp.MustCompile(`^[A-Za-z0-9._~+/=:|-]+$`),
	contentTypeHeader:     regexp.MustCompile(`^application/json$`),
	"openai-organization": regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`),
	"openai-project":      regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`),
	"openai-beta":         regexp.MustCompile(`^([a-z0-9_-]{1,32}=v[0-9]{1,3}|, ?)*$`),
	"anthropic-version":   regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`),
	"anthropic-beta":      regexp.MustCompile(`^([a-z0-9-]{1,48}-[0-9]{4}-[0-9]{2}-[0-9]{2}|, ?)*$`),
}

// responseHeaders are those that go on to the client, where their value has the
// given form. The forms have no room for words.
var responseHeaders = map[string]*regexp.Regexp{
	contentTypeHeader:                regexp.MustCompile(`^(application/json|text/event-stream)( ?; ?charset="?(utf|UTF)-8"?)?$`),
	"cache-control":                  regexp.MustCompile(`^(no-cache|no-store|private|no-transform|must-revalidate|max-age=[0-9]{1,9}|, ?)*$`),
	"retry-after":                    regexp.MustCompile(`^[0-9]{1,9}$`),
	"retry-after-ms":                 regexp.MustCompile(`^[0-9.]{1,12}$`),
	"openai-processing-ms":           regexp.MustCompile(`^[0-9.]{1,12}$`),
	"x-ratelimit-limit-requests":     regexp.MustCompile(`^[0-9]{1,12}$`),
	"x-ratelimit-limit-tokens":       regexp.MustCompile(`^[0-9]{1,12}$`),
	"x-ratelimit-remaining-requests": regexp.MustCompile(`^[0-9]{1,12}$`),
	"x-ratelimit-remaining-tokens":   regexp.MustCompile(`^[0-9]{1,12}$`),
	"x-ratelimit-reset-requests":     regexp.MustCompile(`^([0-9.]{1,9}(ms|s|m|h))+$`),
	"x-ratelimit-reset-tokens":       regexp.MustCompile(`^([0-9.]{1,9}(ms|s|m|h))+$`),
}

const (
	// requestID is the header by which an exchange is known to both sides.
	requestID = "x-request-id"
	// contentLengthHeader is never passed on: what goes on has a length of its
	// own.
	contentLengthHeader = "content-length"
	contentTypeHeader   = "content-type"
)

// mutation keeps the headers for which keep says so and sets the request id.
func mutation(m *corev3.HeaderMap, id string, keep func(name, value string) bool) (set []*corev3.HeaderValueOption, remove []string) {
	for _, h := range m.GetHeaders() {
		name := h.GetKey()
		if strings.HasPrefix(name, ":") || name == requestID || keep(name, value(h)) {
			continue
		}
		remove = append(remove, name)
	}
	return []*corev3.HeaderValueOption{setHeader(requestID, id)}, remove
}

func setHeader(name, value string) *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: name, RawValue: []byte(value)},
		AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
}

func keepRequestHeader(name, value string) bool { return fits(requestHeaders, name, value) }

func keepResponseHeader(name, value string) bool { return fits(responseHeaders, name, value) }

func fits(forms map[string]*regexp.Regexp, name, value string) bool {
	form, ok := forms[name]
	return ok && form.MatchString(value)
}

// The media types that can be read.
const (
	jsonMedia = "application/json"
	sseMedia  = "text/event-stream"
)

// mediaType returns the media type of a body in UTF-8, and "" for any other.
func mediaType(m *corev3.HeaderMap) string {
	values := header(m, contentTypeHeader)
	if len(values) != 1 {
		return ""
	}
	t, params, err := mime.ParseMediaType(values[0])
	if err != nil {
		return ""
	}
	for name, v := range params {
		if name != "charset" || !strings.EqualFold(v, "utf-8") {
			return ""
		}
	}
	return t
}

// encoded reports whether a body is compressed or otherwise not as it reads.
func encoded(m *corev3.HeaderMap) bool {
	for _, v := range header(m, "content-encoding") {
		if !strings.EqualFold(v, "identity") {
			return true
		}
	}
	return false
}

// finalStatus reports whether a response has one of HTTP's statuses that end an
// exchange. Envoy passes on others, of which clients make what they like.
func finalStatus(m *corev3.HeaderMap) bool {
	n, err := strconv.Atoi(first(m, ":status"))
	return err == nil && n >= 200 && n < 600
}

// contentLength returns the length that a message declares, or -1. One beyond
// the numbers is the largest.
func contentLength(m *corev3.HeaderMap) int64 {
	n, err := strconv.ParseInt(first(m, contentLengthHeader), 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return -1
	}
	return n
}
