package dataplane

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// sdk is OpenAI's own client, as its users set it up.
func sdk(s *sidecar, token string) openai.Client {
	return openai.NewClient(
		option.WithBaseURL(s.url+"/v1"), option.WithHTTPClient(s.client2), option.WithAPIKey(strings.TrimPrefix(token, "Bearer ")),
	)
}

func question(words string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: "m", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(words)}}
}

func TestSDK(t *testing.T) {
	s, m := common(t)
	t.Run("allowed", func(t *testing.T) {
		token, _ := m.answer(whole(completion("fine", "also")))
		client := sdk(s, token)
		got, err := client.Chat.Completions.New(t.Context(), question("hi"))
		if err != nil || len(got.Choices) != 2 || got.Choices[0].Message.Content != "fine" {
			t.Errorf("%v, %+v", err, got)
		}
	})
	t.Run("blocked", func(t *testing.T) {
		token, received := m.answer(whole(completion("fine")))
		client := sdk(s, token)
		_, err := client.Chat.Completions.New(t.Context(), question("a purple giraffe"))
		var e *openai.Error
		if !errors.As(err, &e) || e.StatusCode != http.StatusUnavailableForLegalReasons || e.Code != "content_blocked" || e.Type != "safety_policy" {
			t.Errorf("%v", err)
		}
		if len(received.requests()) != 0 {
			t.Error("the upstream was asked")
		}
	})
	t.Run("blocked output is not tried again", func(t *testing.T) {
		token, received := m.answer(whole(completion("a purple giraffe")))
		client := sdk(s, token)
		_, err := client.Chat.Completions.New(t.Context(), question("hi"))
		var e *openai.Error
		if !errors.As(err, &e) || e.StatusCode != http.StatusUnavailableForLegalReasons || len(received.requests()) != 1 {
			t.Errorf("%v, %d requests", err, len(received.requests()))
		}
	})
	t.Run("redacted stream", func(t *testing.T) {
		token, _ := m.answer(bytewise(streamed("This is pro", "ject night", "jar, no more.")))
		client := sdk(s, token)
		text, finish, err := collect(t, client, "hi", nil)
		if err != nil || text != "This is [REDACTED], no more." || finish != "stop" {
			t.Errorf("%v: %q, %q", err, text, finish)
		}
	})
	t.Run("stream blocked early", func(t *testing.T) {
		token, _ := m.answer(pieces(streamed("purple giraffe")))
		client := sdk(s, token)
		text, _, err := collect(t, client, "hi", nil)
		var e *openai.Error
		if !errors.As(err, &e) || e.StatusCode != http.StatusUnavailableForLegalReasons || text != "" {
			t.Errorf("%v: %q", err, text)
		}
	})
	t.Run("stream blocked in the middle", func(t *testing.T) {
		seen := make(chan struct{})
		token, _ := m.answer(paused(said(0, "Once upon a time "), seen, streamed("a purple", " giraffe")))
		client := sdk(s, token)
		text, finish, err := collect(t, client, "hi", seen)
		if err == nil || !strings.Contains(err.Error(), "blocked by the safety policy") {
			t.Errorf("error %v", err)
		}
		if text != "Once upon a time " || finish != "content_filter" {
			t.Errorf("%q, %q", text, finish)
		}
	})
}

// collect reads a stream to its end. seen is closed at the first words.
func collect(t *testing.T, client openai.Client, words string, seen chan struct{}) (text, finish string, err error) {
	t.Helper()
	stream := client.Chat.Completions.NewStreaming(t.Context(), question(words))
	defer func() { _ = stream.Close() }()
	for stream.Next() {
		for _, c := range stream.Current().Choices {
			text += c.Delta.Content
			if c.FinishReason != "" {
				finish = c.FinishReason
			}
		}
		if text != "" && seen != nil {
			close(seen)
			seen = nil
		}
	}
	return text, finish, stream.Err()
}
