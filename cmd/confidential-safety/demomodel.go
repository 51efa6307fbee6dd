package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/difflabai/confidential-safety/demo"
)

func demoModelCommand() *cobra.Command {
	var listen string
	var delay time.Duration
	cmd := &cobra.Command{
		Use:   "demo-model",
		Short: "Run a small OpenAI-compatible model for trying things",
		Long: `Run a model server that answers in the words that the prompt asks it to repeat, whole or
as a stream, with n choices and tool calls where the API has them. It is deterministic
and knows nothing. It speaks plain HTTP, so it listens on this machine's loopback only.
One line of JSON on standard output says where.

It answers POST /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/responses and
/v1/messages (Anthropic's), and GET /v1/models and /health.`,
		Example: `  confidential-safety demo-model --listen 127.0.0.1:8000
  curl -s http://127.0.0.1:8000/v1/chat/completions -H 'content-type: application/json' \
    -d '{"messages":[{"role":"user","content":"Repeat: hello"}]}'
  curl -sN http://127.0.0.1:8000/v1/responses -H 'content-type: application/json' \
    -d '{"stream":true,"input":"Repeat: hello"}'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			host, _, err := net.SplitHostPort(listen)
			if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
				return usage(fmt.Errorf("--listen %q: want a loopback address and a port, such as 127.0.0.1:8000", listen))
			}
			if delay < 0 {
				return usage(errors.New("--chunk-delay: want a duration of 0 or more, such as 50ms"))
			}
			l, err := net.Listen("tcp", listen)
			if err != nil {
				return usage(fmt.Errorf("%w: choose another address with --listen", err))
			}
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			err = json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"ready": true, "url": "http://" + l.Addr().String()})
			if err != nil {
				return fmt.Errorf("standard output: %w", err)
			}
			return serveDemo(ctx, l, delay)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8000", "loopback `address` to listen on; port 0 picks one")
	cmd.Flags().DurationVar(&delay, "chunk-delay", 0, "pause between two chunks of a stream")
	return cmd
}

func serveDemo(ctx context.Context, l net.Listener, delay time.Duration) error {
	srv := &http.Server{Handler: demo.Handler(demo.Config{ChunkDelay: delay}), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
