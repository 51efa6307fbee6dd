package extproc

// Codes of refusals that whoever counts them should tell from the rest.
const (
	CodeTooManyRequests = "too_many_requests"
	CodeOverloaded      = "overloaded"
)

// Codes returns the code of every refusal, which an observer may be told of.
func Codes() []string {
	all := []*refusal{
		refuseBlocked, refuseUnchecked, refuseBusy, refuseOverloaded,
		refuseNotFound, refuseHTTP, refuseUpgrade, refuseMediaType, refuseEncoding, refuseTooLarge, refuseTimeout,
		refuseMalformed, refuseDuplicate, refuseAmbiguous, refuseUTF8, refuseDepth, refuseUnreadable,
		refuseElsewhere, refuseBody,
		refuseUpstream, refuseUpstreamTimeout,
	}
	codes := make([]string, len(all))
	for i, r := range all {
		codes[i] = r.code
	}
	return codes
}
