package demo

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// fault is a request refused: a status and the members of an error object. Its
// words never quote the request.
type fault struct {
	status               int
	message, code, param string
}

var (
	notFound    = &fault{http.StatusNotFound, "The demo model has nothing here.", "not_found", ""}
	wrongMethod = &fault{http.StatusMethodNotAllowed, "This path does not answer to that method.", "method_not_allowed", ""}
	tooLarge    = &fault{http.StatusRequestEntityTooLarge, "The request is larger than 16 MiB.", "request_too_large", ""}
	unread      = &fault{http.StatusBadRequest, "The body could not be read to its end.", "incomplete_body", ""}
	malformed   = &fault{http.StatusBadRequest, "The body is not valid JSON.", "invalid_json", ""}
)

// invalid refuses the value of one member of the request.
func invalid(param, message string) *fault {
	return &fault{http.StatusBadRequest, message, "invalid_value", param}
}

// openAIError is a fault in the form of OpenAI's APIs.
func openAIError(f *fault) any {
	type object struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    string  `json:"code"`
	}
	o := object{Message: f.message, Type: "invalid_request_error", Code: f.code}
	if f.param != "" {
		o.Param = &f.param
	}
	return struct {
		Error object `json:"error"`
	}{o}
}

// anthropicError is a fault in the form of Anthropic's API, which has no place
// for the member's name but in the words.
func anthropicError(f *fault) any {
	type object struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	}
	o := object{"invalid_request_error", f.message}
	if f.status == http.StatusRequestEntityTooLarge {
		o.Type = "request_too_large"
	}
	if !strings.HasPrefix(f.message, f.param) {
		o.Message = f.param + ": " + f.message
	}
	return struct {
		Type  string `json:"type"`
		Error object `json:"error"`
	}{"error", o}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := encode(v)
	if err != nil {
		// None of our types can fail to encode; were one to, half an answer
		// would be worse than none.
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A failed write means that the client is gone.
	_, _ = w.Write(body)
}

// encode writes one line of JSON that ends in a newline. It leaves <, > and &
// as they are: whoever looks at a trial's bytes should find the words there.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}
