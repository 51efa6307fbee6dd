package decode

import "net/http"

// models follows the OpenAI API reference ("List models").
func models() *API {
	return &API{
		Name:       "models",
		Method:     http.MethodGet,
		Path:       "/v1/models",
		Unrecorded: true,
		response:   object(map[string]*rule{}),
	}
}
