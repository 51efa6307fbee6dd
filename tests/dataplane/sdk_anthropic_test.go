package dataplane

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

// anthropicGo asks with Anthropic's own client, as its users set it up.
func anthropicGo(j job) (o outcome) {
	var resp *http.Response
	token := strings.TrimPrefix(j.token, "Bearer ")
	options := []option.RequestOption{
		option.WithBaseURL(j.sidecar.url), option.WithHTTPClient(tries{j.sidecar.client2, &o.Attempts}), option.WithAuthToken(token), option.WithResponseInto(&resp),
	}
	if j.apiKey {
		options[2] = option.WithAPIKey(token)
	}
	if j.timeout > 0 {
		options = append(options, option.WithRequestTimeout(j.timeout))
	}
	for k, v := range j.more {
		options = append(options, option.WithJSONSet(k, v))
	}
	c := anthropic.NewClient(options...)
	ask := anthropic.MessageNewParams{Model: "m", MaxTokens: 100, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(j.words))}}
	askBeta := anthropic.BetaMessageNewParams{Model: "m", MaxTokens: 100, Messages: []anthropic.BetaMessageParam{anthropic.NewBetaUserMessage(anthropic.NewBetaTextBlock(j.words))}}
	var err error
	switch j.api + " " + j.way {
	case "messages whole":
		var got *anthropic.Message
		if got, err = c.Messages.New(j.ctx, ask); err == nil {
			o.saw(got.RawJSON())
			o.Text, o.Finish = blocks(got.Content), string(got.StopReason)
		}
	case "messages stream":
		var whole anthropic.Message
		stream := c.Messages.NewStreaming(j.ctx, ask)
		for stream.Next() {
			event := stream.Current()
			o.heard(j, event.RawJSON(), event.Delta.Text+event.Delta.PartialJSON, string(event.Delta.StopReason))
			if e := whole.Accumulate(event); e != nil && err == nil {
				err = e
			}
		}
		if err == nil {
			err = stream.Err()
		}
		if err == nil {
			o.Final = blocks(whole.Content)
		}
	case "messages_beta whole":
		var got *anthropic.BetaMessage
		if got, err = c.Beta.Messages.New(j.ctx, askBeta); err == nil {
			o.saw(got.RawJSON())
			o.Text, o.Finish = betaBlocks(got.Content), string(got.StopReason)
		}
	case "messages_beta stream":
		var whole anthropic.BetaMessage
		stream := c.Beta.Messages.NewStreaming(j.ctx, askBeta)
		for stream.Next() {
			event := stream.Current()
			o.heard(j, event.RawJSON(), event.Delta.Text+event.Delta.PartialJSON, string(event.Delta.StopReason))
			if e := whole.Accumulate(event); e != nil && err == nil {
				err = e
			}
		}
		if err == nil {
			err = stream.Err()
		}
		if err == nil {
			o.Final = betaBlocks(whole.Content)
		}
	default:
		err = fmt.Errorf("no such job: %s %s", j.api, j.way)
	}
	if resp != nil {
		o.RequestID = resp.Header.Get("x-request-id")
	}
	o.anthropicError(err)
	return o
}

// blocks are the words of a message, and what it would have tools do.
func blocks(content []anthropic.ContentBlockUnion) (text string) {
	for _, b := range content {
		text += b.Text + string(b.Input)
	}
	return text
}

func betaBlocks(content []anthropic.BetaContentBlockUnion) (text string) {
	for _, b := range content {
		text += b.Text + string(b.Input)
	}
	return text
}

func (o *outcome) anthropicError(err error) {
	if err == nil {
		return
	}
	o.saw(err.Error())
	var refused *anthropic.Error
	if !errors.As(err, &refused) {
		o.Raised = errorName(err)
		return
	}
	o.Raised, o.Status = "*anthropic.Error", refused.StatusCode
	o.errorObject([]byte(refused.RawJSON()))
	o.Type = string(refused.Type())
	o.RequestID = refused.RequestID
}
