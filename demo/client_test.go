package demo_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"

	"github.com/difflabai/confidential-safety/demo"
)

// openAI returns OpenAI's own client of a demo model.
func openAI(t *testing.T) *openai.Client {
	t.Helper()
	server := httptest.NewServer(demo.Handler(demo.Config{}))
	t.Cleanup(server.Close)
	client := openai.NewClient(option.WithBaseURL(server.URL+"/v1/"), option.WithAPIKey("none"), option.WithMaxRetries(0))
	return &client
}

func TestClientModels(t *testing.T) {
	page, err := openAI(t).Models.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Data) != 1 || page.Data[0].ID != "demo" {
		t.Errorf("%+v", page.Data)
	}
}

func TestClientCompletions(t *testing.T) {
	client := openAI(t)
	params := openai.CompletionNewParams{
		Model:  "demo",
		Prompt: openai.CompletionNewParamsPromptUnion{OfArrayOfStrings: []string{"Say: good\n\nmorning", "Say: all"}},
		N:      openai.Int(2), Echo: openai.Bool(true), Suffix: openai.String("."), Logprobs: openai.Int(1),
	}
	want := []string{"Say: good\n\nmorninggood\n\nmorning", "Say: good\n\nmorninggood\n\nmorning", "Say: allall", "Say: allall"}
	c, err := client.Completions.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Choices) != len(want) || c.Usage.CompletionTokens != 6 {
		t.Fatalf("%+v", c)
	}
	for i, got := range c.Choices {
		if got.Index != int64(i) || got.Text != want[i] || got.FinishReason != "stop" || len(got.Logprobs.Tokens) == 0 {
			t.Errorf("choice %d: %+v", i, got)
		}
	}

	params.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := client.Completions.NewStreaming(t.Context(), params)
	var texts, reasons [4]string
	var tokens int64
	for stream.Next() {
		chunk := stream.Current()
		for _, choice := range chunk.Choices {
			texts[choice.Index] += choice.Text
			reasons[choice.Index] += string(choice.FinishReason)
		}
		tokens += chunk.Usage.CompletionTokens
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if [4]string(want) != texts || reasons != [4]string{"stop", "stop", "stop", "stop"} || tokens != 6 {
		t.Errorf("%q %q, %d tokens", texts, reasons, tokens)
	}
}

func TestClientEmbeddings(t *testing.T) {
	client := openAI(t)
	params := openai.EmbeddingNewParams{
		Model: "demo", Dimensions: openai.Int(4),
		Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"a", "b"}},
	}
	e, err := client.Embeddings.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Data) != 2 || e.Data[1].Index != 1 || len(e.Data[1].Embedding) != 4 || e.Usage.TotalTokens != 2 {
		t.Errorf("%+v", e)
	}

	// The client reads numbers alone, so the bytes are in what it could not read.
	params.EncodingFormat = openai.EmbeddingNewParamsEncodingFormatBase64
	e, err = client.Embeddings.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	var raw string
	if err := json.Unmarshal([]byte(e.Data[0].JSON.Embedding.Raw()), &raw); err != nil {
		t.Fatal(err)
	}
	if b, err := base64.StdEncoding.DecodeString(raw); err != nil || len(b) != 16 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestClientResponses(t *testing.T) {
	client := openAI(t)
	params := responses.ResponseNewParams{
		Model: "demo", Instructions: openai.String("Be kind."),
		Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("Say: good\n\nmorning  all")},
	}
	r, err := client.Responses.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if r.OutputText() != "good\n\nmorning  all" || r.Status != "completed" || r.Usage.OutputTokens != 3 || r.Instructions.OfString != "Be kind." {
		t.Errorf("%+v", r)
	}
	if text, last := streamResponse(t, client, params); text != r.OutputText() || last.OutputText() != text || last.Usage.OutputTokens != 3 {
		t.Errorf("%q and at last %+v", text, last)
	}

	params.MaxOutputTokens = openai.Int(1)
	if text, last := streamResponse(t, client, params); text != "good" || last.Status != "incomplete" || last.IncompleteDetails.Reason != "max_output_tokens" {
		t.Errorf("%q and at last %+v", text, last)
	}
}

func TestClientResponsesTools(t *testing.T) {
	client := openAI(t)
	input := responses.ResponseInputParam{
		responses.ResponseInputItemParamOfMessage(`Please call get_weather with {"city": "Zürich"}`, responses.EasyInputMessageRoleUser),
	}
	params := responses.ResponseNewParams{
		Model: "demo",
		Input: responses.ResponseNewParamsInputUnion{OfInputItemList: input},
		Tools: []responses.ToolUnionParam{responses.ToolParamOfFunction("get_weather", map[string]any{"type": "object"}, true)},
	}
	r, err := client.Responses.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	streamed, last := streamResponse(t, client, params)
	for _, got := range []*responses.Response{r, last} {
		call := got.Output[0].AsFunctionCall()
		if len(got.Output) != 1 || call.Name != "get_weather" || call.Arguments != `{"city": "Zürich"}` || call.CallID == "" || call.Status != "completed" {
			t.Fatalf("%+v", got.Output)
		}
	}
	if want := r.Output[0].AsFunctionCall().Arguments; streamed != want {
		t.Errorf("the deltas are %q, want %q", streamed, want)
	}

	call := r.Output[0].AsFunctionCall().ToParam()
	result := responses.ResponseInputItemParamOfFunctionCallOutput("sunny")
	result.OfFunctionCallOutput.CallID = openai.String(call.CallID)
	params.Input.OfInputItemList = append(input, responses.ResponseInputItemUnionParam{OfFunctionCall: &call}, result)
	if r, err = client.Responses.New(t.Context(), params); err != nil {
		t.Fatal(err)
	}
	if r.OutputText() != "The tool said: sunny" {
		t.Errorf("after the tool: %q", r.OutputText())
	}

	params.PreviousResponseID = param.NewOpt(r.ID)
	_, err = client.Responses.New(t.Context(), params)
	var refused *openai.Error
	if !errors.As(err, &refused) || refused.StatusCode != http.StatusBadRequest || refused.Param != "previous_response_id" {
		t.Errorf("%v", err)
	}
}

// streamResponse returns the deltas of text and arguments, and the response of
// the last event.
func streamResponse(t *testing.T, client *openai.Client, params responses.ResponseNewParams) (deltas string, last *responses.Response) {
	t.Helper()
	stream := client.Responses.NewStreaming(t.Context(), params)
	next := int64(0)
	for stream.Next() {
		event := stream.Current()
		if event.SequenceNumber != next {
			t.Errorf("%s has number %d, want %d", event.Type, event.SequenceNumber, next)
		}
		next++
		switch e := event.AsAny().(type) {
		case responses.ResponseTextDeltaEvent:
			deltas += e.Delta
		case responses.ResponseFunctionCallArgumentsDeltaEvent:
			deltas += e.Delta
		case responses.ResponseCompletedEvent:
			last = &e.Response
		case responses.ResponseIncompleteEvent:
			last = &e.Response
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if last == nil {
		t.Fatal("the stream has no end")
	}
	return deltas, last
}
