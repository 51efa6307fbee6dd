package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// fixed counts ids and stops the clock, so that answers can be compared whole.
func fixed() Config {
	ids := 0
	return Config{
		Now:   func() time.Time { return time.Unix(1700000000, 0) },
		NewID: func() string { ids++; return fmt.Sprint(ids) },
	}
}

func post(t *testing.T, body string) *httptest.ResponseRecorder {
	t.Helper()
	return postTo(t, "/v1/chat/completions", body)
}

func postTo(t *testing.T, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	Handler(fixed()).ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
	return w
}

// same compares JSON values, not the order of their members.
func same(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%v in the wanted %s", err, want)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// namedTools are those of weather in the form of the Responses API.
const namedTools = `"tools":[{"type":"function","name":"clock"},{"type":"function","name":"get_weather","parameters":{"type":"object"}},{"type":"web_search","name":"web_search"}]`

const weather = `"tools":[{"type":"function","function":{"name":"clock"}},{"type":"function","function":{"name":"get_weather"}}]`

// whole compares an answer that is not a stream.
func whole(t *testing.T, path, body, want string) {
	t.Helper()
	w := postTo(t, path, body)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("status %d, %v", w.Code, w.Header())
	}
	same(t, w.Body.String(), want)
}

func TestWhole(t *testing.T) {
	head := `{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":`
	for _, test := range []struct{ name, body, want string }{
		{
			"words", `{"model":"m","messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"Say: a <b>"}],"future":{"x":1}}`,
			head + `"m","choices":[{"index":0,"message":{"role":"assistant","content":"a <b>","refusal":null},"logprobs":null,"finish_reason":"stop"}],
			"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}`,
		},
		{
			"choices, cut, parts", `{"n":2,"max_tokens":9,"max_completion_tokens":2,"messages":[{"role":"user","content":[{"type":"text","text":"Repeat:"},{"type":"image_url"},{"type":"text","text":"one\ntwo three"}]}]}`,
			head + `"demo","choices":[{"index":0,"message":{"role":"assistant","content":"one\ntwo","refusal":null},"logprobs":null,"finish_reason":"length"},
			{"index":1,"message":{"role":"assistant","content":"one\ntwo","refusal":null},"logprobs":null,"finish_reason":"length"}],
			"usage":{"prompt_tokens":4,"completion_tokens":4,"total_tokens":8}}`,
		},
		{
			"log probabilities", `{"logprobs":true,"messages":[{"role":"user","content":"say: é b"}]}`,
			head + `"demo","choices":[{"index":0,"message":{"role":"assistant","content":"é b","refusal":null},"logprobs":{"content":[
			{"token":"é","logprob":0,"bytes":[195,169],"top_logprobs":[]},{"token":" b","logprob":0,"bytes":[32,98],"top_logprobs":[]}],"refusal":null},"finish_reason":"stop"}],
			"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}`,
		},
		{
			"tool", `{` + weather + `,"messages":[{"role":"user","content":"Call get_weather with {\"city\": \"Oslo\"}."}]}`,
			head + `"demo","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"call_2","type":"function","function":
			{"name":"get_weather","arguments":"{\"city\": \"Oslo\"}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],
			"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}`,
		},
		{
			"tool result", `{` + weather + `,"tool_choice":"required","messages":[{"role":"user","content":"call clock"},{"role":"assistant","content":null},{"role":"tool","tool_call_id":"x","content":"12:00"}]}`,
			head + `"demo","choices":[{"index":0,"message":{"role":"assistant","content":"The tool said: 12:00","refusal":null},"logprobs":null,"finish_reason":"stop"}],
			"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) { whole(t, "/v1/chat/completions", test.body, test.want) })
	}
}

func TestRefused(t *testing.T) {
	const hello = `"messages":[{"role":"user","content":"hello"}]`
	for _, test := range []struct {
		body   string
		status int
		code   string
		param  any
	}{
		{``, 400, "invalid_json", nil},
		{`{` + hello, 400, "invalid_json", nil},
		{`{` + hello + `} {}`, 400, "invalid_json", nil},
		{`[]`, 400, "invalid_value", nil},
		{`null`, 400, "invalid_value", "messages"},
		{`{"messages":[]}`, 400, "invalid_value", "messages"},
		{`{"messages":"hello"}`, 400, "invalid_value", "messages"},
		{`{"n":0,` + hello + `}`, 400, "invalid_value", "n"},
		{`{"n":17,` + hello + `}`, 400, "invalid_value", "n"},
		{`{"n":1.5,` + hello + `}`, 400, "invalid_value", "n"},
		{`{"max_tokens":0,` + hello + `}`, 400, "invalid_value", "max_tokens"},
		{`{"tool_choice":"required",` + hello + `}`, 400, "invalid_value", "tool_choice"},
		{`{"tool_choice":"whatever",` + hello + `}`, 400, "invalid_value", "tool_choice"},
		{`{` + weather + `,"tool_choice":{"type":"function","function":{"name":"other"}},` + hello + `}`, 400, "invalid_value", "tool_choice"},
		{`{"model":"` + strings.Repeat("m", maxBody) + `",` + hello + `}`, 413, "request_too_large", nil},
	} {
		refused(t, "/v1/chat/completions", test.body, test.status, test.code, test.param)
	}
}

// refused compares an error object in OpenAI's form.
func refused(t *testing.T, path, body string, status int, code string, param any) {
	t.Helper()
	w := postTo(t, path, body)
	var got struct {
		Error struct {
			Message, Type, Code string
			Param               any
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	e := got.Error
	if w.Code != status || e.Code != code || e.Param != param || e.Message == "" || e.Type != "invalid_request_error" {
		t.Errorf("%.100s: %d %s", body, w.Code, w.Body)
	}
}

func TestRoutes(t *testing.T) {
	const (
		missing = `{"error":{"message":"The demo model has nothing here.","type":"invalid_request_error","param":null,"code":"not_found"}}`
		method  = `{"error":{"message":"This path does not answer to that method.","type":"invalid_request_error","param":null,"code":"method_not_allowed"}}`
	)
	for _, test := range []struct {
		method, path string
		status       int
		allow, want  string
	}{
		{"GET", "/health", 200, "", `{"status":"ok"}`},
		{"GET", "/v1/models", 200, "", `{"object":"list","data":[{"id":"demo","object":"model","created":0,"owned_by":"confidential-safety"}]}`},
		{"HEAD", "/health", 200, "", `{"status":"ok"}`}, // net/http drops the body
		{"GET", "/v1/chat/completions", 405, "POST", method},
		{"HEAD", "/v1/chat/completions", 405, "POST", method},
		{"DELETE", "/v1/models", 405, "GET", method},
		{"GET", "/", 404, "", missing},
		{"GET", "/v1/completions", 405, "POST", method},
		{"GET", "/v1/embeddings", 405, "POST", method},
		{"GET", "/v1/responses", 405, "POST", method},
		{"GET", "/v1/messages?beta=true", 405, "POST", `{"type":"error","error":{"type":"invalid_request_error","message":"This path does not answer to that method."}}`},
		{"GET", "/v1/responses/resp_1", 404, "", missing},
		{"POST", "/v1/Completions", 404, "", missing},
		{"POST", "//v1/chat/completions", 404, "", missing},
	} {
		w := httptest.NewRecorder()
		Handler(Config{}).ServeHTTP(w, httptest.NewRequest(test.method, "http://x"+test.path, nil))
		if w.Code != test.status || w.Header().Get("Allow") != test.allow {
			t.Errorf("%s %s: %d, Allow %q", test.method, test.path, w.Code, w.Header().Get("Allow"))
		}
		same(t, w.Body.String(), test.want)
	}
}

// A body that is no request is refused alike by every API, in its own form.
func TestNoRequest(t *testing.T) {
	for _, path := range []string{"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages"} {
		for _, test := range []struct {
			body   io.Reader
			status int
			says   string
		}{
			{strings.NewReader(""), 400, "The body is not valid JSON."},
			{strings.NewReader("{} {}"), 400, "The body is not valid JSON."},
			{strings.NewReader("[]"), 400, "A member of the request has the wrong type."},
			{strings.NewReader(`{"model":5}`), 400, "A member of the request has the wrong type."},
			{strings.NewReader("null"), 400, ""},
			{strings.NewReader("{}"), 400, ""},
			{strings.NewReader(`{"x":"` + strings.Repeat("x", maxBody) + `"}`), 413, "The request is larger than 16 MiB."},
			{iotest.ErrReader(io.ErrUnexpectedEOF), 400, "The body could not be read to its end."},
		} {
			w := httptest.NewRecorder()
			Handler(Config{}).ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, test.body))
			var got struct {
				Type  string
				Error struct{ Type, Message, Code string }
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if anthropic := path == "/v1/messages"; (got.Type == "error") != anthropic || (got.Error.Code == "") != anthropic || got.Error.Type == "" {
				t.Errorf("%s: not its form: %s", path, w.Body)
			}
			if w.Code != test.status || got.Error.Message == "" || !strings.HasSuffix(got.Error.Message, test.says) {
				t.Errorf("%s: %d %s, want %q", path, w.Code, w.Body, test.says)
			}
		}
	}
}
