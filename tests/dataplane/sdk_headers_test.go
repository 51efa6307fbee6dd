package dataplane

import (
	"context"
	"strings"
	"testing"
	"time"
)

// Headers and credentials, as the SDKs show and send them.
func TestSDKHeaders(t *testing.T) {
	s, m := common(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, c := range clients(t) {
		for _, d := range sdkDialects() {
			if !c.speaks(d.name) || d.name == "models" {
				continue
			}
			way := "whole"
			if strings.Contains(c.name, "python") {
				way = "raw"
			}
			token, received := m.answer(whole(d.answer("fine")))
			anthropics := strings.HasPrefix(d.name, "messages")
			// Anthropic's SDK for Python sends an API key as a bearer token, and
			// has no query string for what is beta.
			anthropicGo, target := c.sdk == "anthropic-go", d.path
			if anthropics && !anthropicGo {
				target = "/v1/messages"
			}
			o := c.do(job{ctx: ctx, sidecar: s, token: token, apiKey: anthropics, api: d.name, way: way, words: "hi"})
			if o.Raised != "" || o.Text == "" {
				t.Errorf("%s, %s: raised %s: %s", c.name, d.name, o.Raised, o.Seen)
				continue
			}
			s.verdict(t, o.RequestID)
			if way == "raw" && (o.Header["x-request-id"] != o.RequestID || anthropics != (o.Header["request-id"] == o.RequestID)) {
				t.Errorf("%s, %s: %q, headers %v", c.name, d.name, o.RequestID, o.Header)
			}
			sent := received.headers[0]
			if key := sent.Get("X-Api-Key"); (key != "") != anthropicGo || (sent.Get("Authorization") == "") != anthropicGo {
				t.Errorf("%s, %s: credentials in %v", c.name, d.name, sent)
			}
			if got := received.targets()[0]; got != target {
				t.Errorf("%s asked for %s, want %s", c.name, got, target)
			}
		}
	}
}
