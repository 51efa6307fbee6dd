package extproc

import "testing"

// What a header may say that goes on to the upstream unread.
func TestRequestHeaderForms(t *testing.T) {
	for name, values := range map[string]struct{ keep, drop []string }{
		"accept": {
			[]string{"*/*", "application/json", "text/event-stream", "application/json, text/event-stream;q=0.5,*/*"},
			[]string{"text/plain", "purple/giraffe", "*/* giraffe", "application/jsonx"},
		},
		"authorization": {
			[]string{"Bearer sk-proj-a_B.1", "Basic YTpi=="},
			[]string{"Bearer", "purple giraffe here", "Bearer a,Bearer b", "Bearer caf\u00e9", "Bearer a\rx: y"},
		},
		"x-api-key":           {[]string{"sk-ant-api03-A_b", "a|b:c="}, []string{"", "purple giraffe", "a\tb"}},
		"content-type":        {[]string{"application/json"}, []string{"application/json; charset=utf-8", "text/plain"}},
		"openai-organization": {[]string{"org-Ab1"}, []string{"purple giraffe", "org-\u00e9"}},
		"openai-project":      {[]string{"proj_Ab1"}, []string{"purple giraffe"}},
		"openai-beta":         {[]string{"assistants=v2", "responses=v1, realtime=v1"}, []string{"purple giraffe", "purple=giraffe"}},
		"anthropic-version":   {[]string{"2023-06-01"}, []string{"purple giraffe", "2023-06-01 giraffe"}},
		"anthropic-beta":      {[]string{"output-128k-2025-02-19", "a-2024-07-31,b-2024-09-24"}, []string{"purple giraffe", "giraffe"}},
		"user-agent":          {nil, []string{"OpenAI/Python 3.54.0"}},
		"x-envoy-retry-on":    {nil, []string{"5xx"}},
	} {
		for _, v := range values.keep {
			if !keepRequestHeader(name, v) {
				t.Errorf("%s: %q is dropped", name, v)
			}
		}
		for _, v := range values.drop {
			if keepRequestHeader(name, v) {
				t.Errorf("%s: %q goes on", name, v)
			}
		}
	}
}
