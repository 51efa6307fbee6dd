package demo_test

import (
	"net/http/httptest"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"

	"github.com/difflabai/confidential-safety/demo"
)

// The client that users have reads what the model writes.
func TestClient(t *testing.T) {
	server := httptest.NewServer(demo.Handler(demo.Config{}))
	defer server.Close()
	client := openai.NewClient(option.WithBaseURL(server.URL+"/v1/"), option.WithAPIKey("none"), option.WithMaxRetries(0))
	ask := func(prompt string) openai.ChatCompletionNewParams {
		return openai.ChatCompletionNewParams{
			Model:    "demo",
			Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)},
		}
	}

	t.Run("whole", func(t *testing.T) {
		c, err := client.Chat.Completions.New(t.Context(), ask("Repeat after me: good morning"))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Choices[0]; got.Message.Content != "good morning" || got.FinishReason != "stop" || c.Usage.CompletionTokens != 2 {
			t.Errorf("%+v", c)
		}
	})

	t.Run("stream", func(t *testing.T) {
		params := ask("Repeat after me: good\n\nmorning  all")
		params.N = openai.Int(2)
		params.StreamOptions.IncludeUsage = openai.Bool(true)
		stream := client.Chat.Completions.NewStreaming(t.Context(), params)
		var sum openai.ChatCompletionAccumulator
		for stream.Next() {
			if !sum.AddChunk(stream.Current()) {
				t.Fatalf("chunk does not add: %+v", stream.Current())
			}
		}
		if err := stream.Err(); err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			if got := sum.Choices[i]; got.Message.Content != "good\n\nmorning  all" || got.FinishReason != "stop" {
				t.Errorf("choice %d: %+v", i, got)
			}
		}
		if sum.Usage.CompletionTokens != 6 {
			t.Errorf("usage: %+v", sum.Usage)
		}
	})

	t.Run("tools", func(t *testing.T) {
		params := ask(`Please call get_weather with {"city": "Zürich"}`)
		params.Tools = []openai.ChatCompletionToolUnionParam{
			openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: "get_weather"}),
		}
		c, err := client.Chat.Completions.New(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		stream := client.Chat.Completions.NewStreaming(t.Context(), params)
		var sum openai.ChatCompletionAccumulator
		for stream.Next() {
			sum.AddChunk(stream.Current())
		}
		if err := stream.Err(); err != nil {
			t.Fatal(err)
		}
		for _, got := range []openai.ChatCompletionChoice{c.Choices[0], sum.Choices[0]} {
			if len(got.Message.ToolCalls) != 1 || got.FinishReason != "tool_calls" {
				t.Fatalf("%+v", got)
			}
			call := got.Message.ToolCalls[0]
			if call.ID == "" || call.Function.Name != "get_weather" || call.Function.Arguments != `{"city": "Zürich"}` {
				t.Errorf("%+v", call)
			}
		}
		params.Messages = append(params.Messages, c.Choices[0].Message.ToParam(),
			openai.ToolMessage("sunny", c.Choices[0].Message.ToolCalls[0].ID))
		c, err = client.Chat.Completions.New(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Choices[0].Message.Content; got != "The tool said: sunny" {
			t.Errorf("after the tool: %q", got)
		}
	})
}
