package dataplane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/responses"
)

// openAIGo asks with OpenAI's own client, as its users set it up.
func openAIGo(j job) (o outcome) {
	var resp *http.Response
	options := []option.RequestOption{
		option.WithBaseURL(j.sidecar.url + "/v1"), option.WithHTTPClient(tries{j.sidecar.client2, &o.Attempts}), option.WithAPIKey(strings.TrimPrefix(j.token, "Bearer ")),
		option.WithResponseInto(&resp),
	}
	if j.timeout > 0 {
		options = append(options, option.WithRequestTimeout(j.timeout))
	}
	for k, v := range j.more {
		options = append(options, option.WithJSONSet(k, v))
	}
	c := openai.NewClient(options...)
	var err error
	switch j.api + " " + j.way {
	case "chat_completions whole":
		var got *openai.ChatCompletion
		if got, err = c.Chat.Completions.New(j.ctx, question(j.words)); err == nil {
			var texts []string
			for _, choice := range got.Choices {
				texts = append(texts, spoken(choice.Message))
			}
			o.saw(got.RawJSON())
			o.Text, o.Finish = strings.Join(texts, "|"), got.Choices[0].FinishReason
		}
	case "chat_completions stream":
		var whole openai.ChatCompletionAccumulator
		stream := c.Chat.Completions.NewStreaming(j.ctx, question(j.words))
		for stream.Next() {
			whole.AddChunk(stream.Current())
			for _, choice := range stream.Current().Choices {
				words := choice.Delta.Content
				for _, call := range choice.Delta.ToolCalls {
					words += call.Function.Arguments
				}
				o.heard(j, stream.Current().RawJSON(), words, choice.FinishReason)
			}
		}
		if err = stream.Err(); err == nil {
			o.Final = spoken(whole.Choices[0].Message)
		}
	case "completions whole":
		var got *openai.Completion
		if got, err = c.Completions.New(j.ctx, openai.CompletionNewParams{Model: "m", Prompt: openai.CompletionNewParamsPromptUnion{OfString: param.NewOpt(j.words)}}); err == nil {
			o.saw(got.RawJSON())
			o.Text, o.Finish = got.Choices[0].Text, string(got.Choices[0].FinishReason)
		}
	case "completions stream":
		stream := c.Completions.NewStreaming(j.ctx, openai.CompletionNewParams{Model: "m", Prompt: openai.CompletionNewParamsPromptUnion{OfString: param.NewOpt(j.words)}})
		for stream.Next() {
			choice := stream.Current().Choices[0]
			o.heard(j, stream.Current().RawJSON(), choice.Text, string(choice.FinishReason))
		}
		err = stream.Err()
	case "responses whole":
		var got *responses.Response
		if got, err = c.Responses.New(j.ctx, responses.ResponseNewParams{Model: "m", Input: responses.ResponseNewParamsInputUnion{OfString: param.NewOpt(j.words)}}); err == nil {
			o.saw(got.RawJSON())
			o.Text, o.Finish = output(*got), string(got.Status)
		}
	case "responses stream":
		stream := c.Responses.NewStreaming(j.ctx, responses.ResponseNewParams{Model: "m", Input: responses.ResponseNewParamsInputUnion{OfString: param.NewOpt(j.words)}})
		for stream.Next() {
			switch e := stream.Current().AsAny().(type) {
			case responses.ResponseTextDeltaEvent:
				o.heard(j, e.RawJSON(), e.Delta, "")
			case responses.ResponseFunctionCallArgumentsDeltaEvent:
				o.heard(j, e.RawJSON(), e.Delta, "")
			case responses.ResponseCompletedEvent:
				o.heard(j, e.RawJSON(), "", string(e.Response.Status))
				o.Final = output(e.Response)
			case responses.ResponseIncompleteEvent:
				o.heard(j, e.RawJSON(), "", string(e.Response.Status))
			}
		}
		err = stream.Err()
	case "embeddings whole":
		var got *openai.CreateEmbeddingResponse
		if got, err = c.Embeddings.New(j.ctx, openai.EmbeddingNewParams{Model: "m", Input: openai.EmbeddingNewParamsInputUnion{OfString: param.NewOpt(j.words)}}); err == nil {
			o.saw(got.RawJSON())
			o.Text = strings.ReplaceAll(fmt.Sprint(got.Data[0].Embedding), " ", ", ")
		}
	case "models whole":
		page, e := c.Models.List(j.ctx)
		if err = e; err == nil {
			o.saw(page.RawJSON())
			o.Text = page.Data[0].ID
		}
	default:
		err = fmt.Errorf("no such job: %s %s", j.api, j.way)
	}
	if resp != nil {
		o.RequestID = resp.Header.Get("x-request-id")
	}
	o.openAIError(err)
	return o
}

func question(words string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: "m", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(words)}}
}

// spoken are the words of a message, and what it would have tools do.
func spoken(m openai.ChatCompletionMessage) string {
	text := m.Content
	for _, call := range m.ToolCalls {
		text += call.Function.Arguments
	}
	return text
}

func output(r responses.Response) string {
	text := r.OutputText()
	for _, item := range r.Output {
		text += item.Arguments.OfString
	}
	return text
}

// openAIError takes down what a program can read of an error.
func (o *outcome) openAIError(err error) {
	if err == nil {
		return
	}
	o.saw(err.Error())
	var refused *openai.Error
	var ended *ssestream.StreamError
	switch {
	case errors.As(err, &refused):
		o.Raised, o.Status, o.Code, o.Type, o.Message = "*openai.Error", refused.StatusCode, refused.Code, refused.Type, refused.Message
	case errors.As(err, &ended):
		o.Raised = "*ssestream.StreamError"
		o.errorObject(ended.Event.Data)
	default:
		o.Raised = errorName(err)
	}
}

// saw takes down all that a program gets to see.
func (o *outcome) saw(text string) { o.Seen += text + "\n" }

// heard takes down an event of a stream.
func (o *outcome) heard(j job, event, words, finish string) {
	o.saw(event)
	if o.Text == "" && words != "" {
		j.seen()
	}
	o.Text += words
	if finish != "" {
		o.Finish = finish
	}
}

// tries counts the requests of a client.
type tries struct {
	client *http.Client
	n      *int
}

func (c tries) Do(r *http.Request) (*http.Response, error) {
	*c.n++
	return c.client.Do(r)
}

// errorObject reads the member error of a body or an event.
func (o *outcome) errorObject(body []byte) {
	var object struct {
		Error struct{ Message, Type, Code string }
	}
	if err := json.Unmarshal(body, &object); err == nil {
		o.Code, o.Type, o.Message = object.Error.Code, object.Error.Type, object.Error.Message
	}
}

// brokenConnection stands for the errors of a connection that broke, which
// depend on when and on the protocol.
const brokenConnection = "an error of net/http"

// errorName is that of an error which is not the SDK's own.
func errorName(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "context.DeadlineExceeded"
	}
	// The type of HTTP/2 is not exported by net/http.
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || strings.HasPrefix(err.Error(), "stream error: ") {
		return brokenConnection
	}
	return fmt.Sprintf("%T: %v", err, err)
}
