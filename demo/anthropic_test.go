package demo_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/difflabai/confidential-safety/demo"
)

// ask asks by Anthropic's own client, whole or streamed. beta makes the client
// send ?beta=true.
type ask func(t *testing.T, params anthropic.MessageNewParams) *anthropic.Message

func anthropicClient(t *testing.T) *anthropic.Client {
	t.Helper()
	server := httptest.NewServer(demo.Handler(demo.Config{}))
	t.Cleanup(server.Close)
	client := anthropic.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey("none"), option.WithMaxRetries(0))
	return &client
}

func askings(client *anthropic.Client) map[string]ask {
	return map[string]ask{
		"whole": func(t *testing.T, params anthropic.MessageNewParams) *anthropic.Message {
			m, err := client.Messages.New(t.Context(), params)
			if err != nil {
				t.Fatal(err)
			}
			return m
		},
		"streamed": func(t *testing.T, params anthropic.MessageNewParams) *anthropic.Message {
			stream := client.Messages.NewStreaming(t.Context(), params)
			var m anthropic.Message
			ended := false
			for stream.Next() {
				if err := m.Accumulate(stream.Current()); err != nil {
					t.Fatal(err)
				}
				_, ended = stream.Current().AsAny().(anthropic.MessageStopEvent)
			}
			if err := stream.Err(); err != nil || !ended {
				t.Fatalf("ended %v: %v", ended, err)
			}
			return &m
		},
	}
}

func TestAnthropicClient(t *testing.T) {
	for name, ask := range askings(anthropicClient(t)) {
		t.Run(name, func(t *testing.T) {
			params := anthropic.MessageNewParams{
				Model: "demo", MaxTokens: 100,
				System:   []anthropic.TextBlockParam{{Text: "Be kind."}},
				Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("Say: good\n\nmorning  all"))},
			}
			m := ask(t, params)
			if len(m.Content) != 1 || m.Content[0].AsText().Text != "good\n\nmorning  all" || m.StopReason != "end_turn" ||
				m.Usage.InputTokens != 6 || m.Usage.OutputTokens != 3 || m.ID == "" || m.Role != "assistant" {
				t.Errorf("%+v", m)
			}
			params.MaxTokens = 1
			if m := ask(t, params); m.Content[0].AsText().Text != "good" || m.StopReason != "max_tokens" {
				t.Errorf("%+v", m)
			}
		})
	}
}

func TestAnthropicTools(t *testing.T) {
	for name, ask := range askings(anthropicClient(t)) {
		t.Run(name, func(t *testing.T) {
			params := anthropic.MessageNewParams{
				Model: "demo", MaxTokens: 100,
				Tools:    []anthropic.ToolUnionParam{anthropic.ToolUnionParamOfTool(anthropic.ToolInputSchemaParam{}, "get_weather")},
				Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(`Please call get_weather with {"city":"Zürich"}`))},
			}
			m := ask(t, params)
			if len(m.Content) != 1 || m.StopReason != "tool_use" {
				t.Fatalf("%+v", m)
			}
			call := m.Content[0].AsToolUse()
			if call.ID == "" || call.Name != "get_weather" || string(call.Input) != `{"city":"Zürich"}` {
				t.Errorf("%+v", call)
			}
			params.Messages = append(params.Messages, m.ToParam(), anthropic.NewUserMessage(anthropic.NewToolResultBlock(call.ID, "sunny", false)))
			if got := ask(t, params).Content[0].AsText().Text; got != "The tool said: sunny" {
				t.Errorf("after the tool: %q", got)
			}
		})
	}
}

// The beta form of the client adds ?beta=true.
func TestAnthropicBeta(t *testing.T) {
	m, err := anthropicClient(t).Beta.Messages.New(t.Context(), anthropic.BetaMessageNewParams{
		Model: "demo", MaxTokens: 100,
		Messages: []anthropic.BetaMessageParam{anthropic.NewBetaUserMessage(anthropic.NewBetaTextBlock("Say: a"))},
	})
	if err != nil {
		t.Fatal(err)
	}
	if m.Content[0].AsText().Text != "a" {
		t.Errorf("%+v", m)
	}
}

func TestAnthropicRefused(t *testing.T) {
	_, err := anthropicClient(t).Messages.New(t.Context(), anthropic.MessageNewParams{Model: "demo", MaxTokens: 100})
	var refused *anthropic.Error
	if !errors.As(err, &refused) || refused.StatusCode != http.StatusBadRequest || refused.Type() != "invalid_request_error" {
		t.Errorf("%v", err)
	}
}
