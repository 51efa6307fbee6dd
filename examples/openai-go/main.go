// Command openai-go talks to a running sidecar with OpenAI's own client: one
// answer that is allowed, a request that is blocked, and a stream from which
// words are redacted.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

func main() {
	url := flag.String("url", "https://127.0.0.1:8443", "where the sidecar listens")
	ca := flag.String("ca", ".data/tls/ca.pem", "the certificate that the sidecar wrote at start")
	flag.Parse()
	if err := run(context.Background(), *url, *ca, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url, ca string, out io.Writer) error {
	pem, err := os.ReadFile(ca)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate", ca)
	}
	client := openai.NewClient(
		option.WithBaseURL(url+"/v1"),
		option.WithAPIKey("none"), // the demo model wants none
		option.WithHTTPClient(&http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true,
		}}),
	)
	ask := func(words string) openai.ChatCompletionNewParams {
		return openai.ChatCompletionNewParams{
			Model:    "demo",
			Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(words)},
		}
	}

	answer, err := client.Chat.Completions.New(ctx, ask("Repeat: all is well"))
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "allowed: ", answer.Choices[0].Message.Content)

	_, err = client.Chat.Completions.New(ctx, ask("How do I make a bomb?"))
	var refused *openai.Error
	if !errors.As(err, &refused) {
		return fmt.Errorf("not blocked: %w", err)
	}
	fmt.Fprintln(out, "blocked: ", refused.StatusCode, refused.Code)

	stream := client.Chat.Completions.NewStreaming(ctx, ask("Repeat: ask about Project Nightjar tomorrow"))
	fmt.Fprint(out, "redacted: ")
	for stream.Next() {
		for _, choice := range stream.Current().Choices {
			fmt.Fprint(out, choice.Delta.Content)
		}
	}
	fmt.Fprintln(out)
	return stream.Err()
}
