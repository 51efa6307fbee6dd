package decode

import "strings"

// API describes one inspected endpoint. The list of them is the only one: the
// routes of the bootstrap, the processor and the documents are made from it.
type API struct {
	Name   string // of the API, fit for logs and labels
	Method string
	Path   string // exact
	Query  string // the only query string that may go with it; none where empty
	// Unrecorded: a request that passes has no verdict in the log.
	Unrecorded bool
	// Anthropic: errors have the form of Anthropic's API, not of OpenAI's.
	Anthropic bool
	// IDHeader is a header of responses that has the request's id, besides
	// x-request-id.
	IDHeader string

	// joins: clients join the texts of an answer's parts to one.
	joins    bool
	request  *rule // nil: requests have no body
	response *rule
	event    *rule // nil: responses are never streams
	unknown  *rule // of what no description names in a choice of a stream

	ending func(dst []byte, c client, f Failure) []byte
}

// APIs returns the inspected endpoints.
func APIs() []*API {
	return []*API{chatCompletions(), completions(), embeddings(), responses(), messages(), models()}
}

// Targets returns the request targets of the API, path and query string.
func (a *API) Targets() []string {
	if a.Query == "" {
		return []string{a.Path}
	}
	return []string{a.Path, a.Path + "?" + a.Query}
}

// Lookup returns the API of a request line. target is as the client sent it: one
// that differs in case, in a slash or by a query string is another.
func Lookup(apis []*API, method, target string) (*API, bool) {
	for _, a := range apis {
		if a.Method == method && a.is(target) {
			return a, true
		}
	}
	return nil, false
}

func (a *API) is(target string) bool {
	rest, ok := strings.CutPrefix(target, a.Path)
	return ok && (rest == "" || a.Query != "" && rest[0] == '?' && rest[1:] == a.Query)
}

// HasBody reports whether the API's requests have one.
func (a *API) HasBody() bool { return a.request != nil }

// Streams reports whether the API's responses may be streams.
func (a *API) Streams() bool { return a.event != nil }

// typed reports whether the events of a stream name their types.
func (a *API) typed() bool { return a.event.variants != nil }

// ReadRequest returns a reader of the API's request bodies, which are JSON.
func (a *API) ReadRequest(l Limits) Reader { return newBody(a.request, l, false) }

// ReadResponse returns a reader of the API's whole responses, which are JSON.
func (a *API) ReadResponse(l Limits) Reader { return newBody(a.response, l, a.joins) }

// ReadStream returns a reader of the API's streamed responses: server-sent
// events as the HTML standard defines them, section 9.2.
func (a *API) ReadStream(l Limits) Reader { return newStream(a, l) }
