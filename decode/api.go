package decode

// API describes one inspected endpoint. This list is the only one: the routes
// of the bootstrap, the processor and the documents are made from it.
type API struct {
	Name   string // of the API, fit for logs and labels
	Method string
	Path   string // exact; no query string goes with it

	request, response, event *rule
	unknown                  *rule // of what no description names in a choice of a stream
	ending                   func(dst []byte, c client, object []byte) []byte
}

// APIs returns the inspected endpoints.
func APIs() []*API {
	return []*API{chatCompletions()}
}

// Lookup returns the API of a request line. path is as the client sent it: one
// that differs in case, in a slash or by a query string is another path.
func Lookup(apis []*API, method, path string) (*API, bool) {
	for _, a := range apis {
		if a.Method == method && a.Path == path {
			return a, true
		}
	}
	return nil, false
}

// ReadRequest returns a reader of the API's request bodies, which are JSON.
func (a *API) ReadRequest(l Limits) Reader { return newBody(a.request, l) }

// ReadResponse returns a reader of the API's whole responses, which are JSON.
func (a *API) ReadResponse(l Limits) Reader { return newBody(a.response, l) }

// ReadStream returns a reader of the API's streamed responses: server-sent
// events as the HTML standard defines them, section 9.2.
func (a *API) ReadStream(l Limits) Reader { return newStream(a, l) }
