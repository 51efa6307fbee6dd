package demo

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// maxBody bounds a request.
const maxBody = 16 << 20

// read reads a request's body. What the form of a request does not name is
// ignored, as by a model server that is older than its client.
func read(w http.ResponseWriter, r *http.Request, into any) *fault {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return tooLarge
	case err != nil:
		return unread
	}
	if err := json.Unmarshal(body, into); err != nil {
		var form *json.UnmarshalTypeError
		if errors.As(err, &form) {
			return invalid(form.Field, "A member of the request has the wrong type.")
		}
		return malformed
	}
	return nil
}
