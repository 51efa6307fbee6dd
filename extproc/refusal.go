package extproc

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/extproc/inspect"
	"github.com/difflabai/confidential-safety/verdict"
)

// refusal is an answer that the processor gives instead of the upstream's: an
// HTTP status and the words of an error object, whose form is the API's. The set
// is closed; no refusal says anything of the content or of what failed inside.
type refusal struct {
	status              int
	message, kind, code string
	// judged: the body carries the verdict.
	judged bool
}

func (r *refusal) Error() string { return r.code }

// failure is what the client is told. v may be nil.
func (r *refusal) failure(id string, v *verdict.External) decode.Failure {
	f := decode.Failure{Message: r.message, Type: r.kind, Code: r.code, RequestID: id}
	if r.judged && v != nil {
		// Strings and numbers of our own: this cannot fail.
		if b, err := json.Marshal(v); err == nil {
			f.Safety = b
		}
	}
	return f
}

const invalidRequest = "invalid_request_error"

// The refusals. Clients rely on their messages, types and codes.
var (
	refuseBlocked = &refusal{http.StatusUnavailableForLegalReasons,
		"This request was blocked by the safety policy.", "safety_policy", "content_blocked", true}
	refuseUnchecked = &refusal{http.StatusServiceUnavailable,
		"This request could not be checked and was not processed.", "safety_unavailable", "not_checked", true}

	refuseNotFound = &refusal{http.StatusNotFound,
		"There is nothing here.", invalidRequest, "not_found", false}
	refuseHTTP = &refusal{http.StatusBadRequest,
		"The request is not one that can be served: upgrades and malformed HTTP are refused.", invalidRequest, "http_refused", false}
	refuseUpgrade = &refusal{http.StatusBadRequest,
		"Upgrades are not supported.", invalidRequest, "upgrade_refused", false}
	refuseMediaType = &refusal{http.StatusUnsupportedMediaType,
		"The content type must be application/json in UTF-8.", invalidRequest, "unsupported_content_type", false}
	refuseEncoding = &refusal{http.StatusUnsupportedMediaType,
		"The body must not be compressed: content-encoding is not supported.", invalidRequest, "unsupported_content_encoding", false}
	refuseTooLarge = &refusal{http.StatusRequestEntityTooLarge,
		"The request is too large.", invalidRequest, "request_too_large", false}
	refuseTimeout = &refusal{http.StatusRequestTimeout,
		"The request took too long to arrive.", invalidRequest, "request_timeout", false}
	refuseMalformed = &refusal{http.StatusBadRequest,
		"The body is not valid JSON.", invalidRequest, "invalid_json", false}
	refuseDuplicate = &refusal{http.StatusBadRequest,
		"The body names a member of an object twice.", invalidRequest, "duplicate_key", false}
	refuseAmbiguous = &refusal{http.StatusBadRequest,
		"The body names a known member in upper-case or lower-case letters that are not its own.", invalidRequest, "ambiguous_key", false}
	refuseUTF8 = &refusal{http.StatusBadRequest,
		"The body is not valid UTF-8.", invalidRequest, "invalid_utf8", false}
	refuseDepth = &refusal{http.StatusBadRequest,
		"The body is nested too deeply.", invalidRequest, "too_deep", false}
	refuseUnreadable = &refusal{http.StatusBadRequest,
		"The request holds content that is not text; only text can be checked.", invalidRequest, "unsupported_content", false}
	refuseElsewhere = &refusal{http.StatusBadRequest,
		"The request refers to content that is not in it; only what is in it can be checked.", invalidRequest, "unsupported_reference", false}
	refuseBody = &refusal{http.StatusBadRequest,
		"The request has a body where there is none to be.", invalidRequest, "unexpected_body", false}

	refuseUpstream = &refusal{http.StatusBadGateway,
		"The model server gave no answer that could be read.", "upstream_error", "upstream_failed", false}
	refuseUpstreamTimeout = &refusal{http.StatusGatewayTimeout,
		"The model server took too long to answer.", "upstream_error", "upstream_timeout", false}
)

// requestRefusal says how a request that could not be inspected is refused.
func requestRefusal(err error) *refusal {
	var e *inspect.Error
	if !errors.As(err, &e) {
		return refuseUnchecked
	}
	if e.Fault == inspect.Overloaded {
		return refuseOverloaded
	}
	switch decode.Fault(e.Fault) {
	case decode.Malformed:
		return refuseMalformed
	case decode.Duplicate:
		return refuseDuplicate
	case decode.Ambiguous:
		return refuseAmbiguous
	case decode.InvalidUTF8:
		return refuseUTF8
	case decode.TooDeep:
		return refuseDepth
	case decode.TooLarge:
		return refuseTooLarge
	case decode.Unreadable:
		return refuseUnreadable
	case decode.Elsewhere:
		return refuseElsewhere
	default:
		return refuseUnchecked
	}
}

// responseRefusal says how a response that could not be inspected is refused:
// one that no parser should accept is the upstream's failure.
func responseRefusal(err error) *refusal {
	var e *inspect.Error
	if errors.As(err, &e) && decode.Fault(e.Fault) == decode.Malformed {
		return refuseUpstream
	}
	if e != nil && e.Fault == inspect.Overloaded {
		return refuseOverloaded
	}
	return refuseUnchecked
}
