package decode

import "encoding/json"

// Failure is what a client is told in place of a response, or of the rest of one.
type Failure struct {
	Message, Type, Code string
	Safety              []byte // the verdict as a JSON object, or nil
	RequestID           string
}

// Failure appends the whole body, in JSON, that tells a client of the API of f.
func (a *API) Failure(dst []byte, f Failure) []byte {
	if a.Anthropic {
		return anthropicFailure(dst, f)
	}
	return OpenAIFailure(dst, f)
}

// OpenAIFailure appends the error object of OpenAI's API reference, with the
// verdict beside it. It is also for what is of no API.
func OpenAIFailure(dst []byte, f Failure) []byte {
	dst = append(dst, `{"error":`...)
	dst = f.object(dst)
	return append(f.safety(dst), '}')
}

// anthropicFailure appends the error object of Anthropic's API reference, with
// the members of OpenAI's in it.
func anthropicFailure(dst []byte, f Failure) []byte {
	dst = append(dst, `{"type":"error","error":`...)
	dst = f.safety(f.object(dst))
	return append(appendMember(dst, `,"request_id":`, f.RequestID), '}')
}

func (f *Failure) object(dst []byte) []byte {
	dst = appendMember(dst, `{"message":`, f.Message)
	dst = appendMember(dst, `,"type":`, f.Type)
	dst = appendMember(dst, `,"code":`, f.Code)
	return append(dst, `,"param":null}`...)
}

func (f *Failure) safety(dst []byte) []byte {
	if f.Safety == nil {
		return dst
	}
	return append(append(dst, `,"safety":`...), f.Safety...)
}

// appendMember appends a member's name, as it is given, and its value.
func appendMember(dst []byte, name, value string) []byte {
	// A string of ours in UTF-8: this cannot fail.
	text, err := json.Marshal(value)
	if err != nil {
		text = []byte(`""`)
	}
	return append(append(dst, name...), text...)
}

// openAIEvent ends a stream of OpenAI's chunks: an event with the error object
// and no end mark. Tried with the OpenAI SDKs for Go and Python: both raise an
// API error on it.
func openAIEvent(dst []byte, f Failure) []byte {
	dst = OpenAIFailure(append(dst, "data: "...), f)
	return append(dst, "\n\n"...)
}
