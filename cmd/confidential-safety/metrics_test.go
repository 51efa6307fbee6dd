package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/extproc"
)

// listening is a sidecar that an Envoy could talk to, and its metrics.
func listening(t *testing.T) (client extprocv3.ExternalProcessorClient, scrape func() string) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "cs-") // a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	cfg, err := parsed(t, "--tee", "simulated", "--policy", testPolicy, "--metrics-addr", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	s, err := newSidecar(cfg, slog.New(slog.NewTextHandler(&log, nil)), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	if err := s.listen(t.Context(), filepath.Join(dir, "e"), filepath.Join(dir, "s")); err != nil {
		t.Fatal(err)
	}
	at := regexp.MustCompile(`msg="metrics are served" address=(\S+)`).FindStringSubmatch(log.String())
	if at == nil {
		t.Fatal("the log does not say where metrics are: " + log.String())
	}
	conn, err := grpc.NewClient("unix://"+filepath.Join(dir, "e"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return extprocv3.NewExternalProcessorClient(conn), func() string {
		resp, err := http.Get("http://" + at[1] + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp.StatusCode, err)
		}
		return string(b)
	}
}

// exchange sends messages as Envoy would and waits for the end.
func exchange(t *testing.T, c extprocv3.ExternalProcessorClient, messages ...*extprocv3.ProcessingRequest) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := c.Process(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if err := stream.Send(m); err != nil {
			break
		}
	}
	_ = stream.CloseSend()
	for {
		if _, err := stream.Recv(); err != nil {
			return
		}
	}
}

func headersOf(response bool, pairs ...string) *extprocv3.ProcessingRequest {
	h := &extprocv3.HttpHeaders{Headers: &corev3.HeaderMap{}}
	for i := 0; i < len(pairs); i += 2 {
		h.Headers.Headers = append(h.Headers.Headers, &corev3.HeaderValue{Key: pairs[i], RawValue: []byte(pairs[i+1])})
	}
	if response {
		return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{ResponseHeaders: h}}
	}
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{RequestHeaders: h}}
}

func bodyOf(response bool, text string) *extprocv3.ProcessingRequest {
	b := &extprocv3.HttpBody{Body: []byte(text), EndOfStream: true}
	if response {
		return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseBody{ResponseBody: b}}
	}
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestBody{RequestBody: b}}
}

// No label takes a value from what went through, wherever it stood.
func TestMetricsCarryNoContent(t *testing.T) {
	client, scrape := listening(t)
	const evil = `evil"} 1 confidential_safety_x{a="`
	json := fmt.Sprintf(`{"id":%q,"model":%q,%q:%q,"messages":[{"role":%q,"name":%q,"content":%q}],"choices":[{"index":0,"finish_reason":%q,"message":{"role":%q,"content":%q}}]}`,
		evil, evil, evil, evil, evil, evil, evil, evil, evil, evil)
	const chat = "/v1/chat/completions"
	for _, path := range []string{chat, evil, "/v1/" + evil, "/v1/health?" + evil} {
		for _, method := range []string{http.MethodPost, evil} {
			for _, media := range []string{"application/json", evil} {
				exchange(t, client,
					headersOf(false, ":method", method, ":path", path, ":authority", evil, "content-type", media, "authorization", evil, "x-request-id", evil, evil, evil),
					bodyOf(false, json),
					headersOf(true, ":status", evil, "content-type", media, evil, evil), bodyOf(true, json))
			}
		}
	}
	exchange(t, client, headersOf(false, ":method", "POST", ":path", chat, "content-type", "application/json"), bodyOf(false, json),
		headersOf(true, ":status", "200", "content-type", "application/json", evil, evil), bodyOf(true, json))
	got := scrape()
	if strings.Contains(got, "evil") {
		t.Errorf("content is in the metrics:\n%s", got)
	}
	if !strings.Contains(got, `confidential_safety_exchanges_total{action="ALLOW",api="chat_completions"} 1`) {
		t.Errorf("nothing went through:\n%s", got)
	}
	closed := map[string][]string{
		"api": {"none"}, "action": {"ALLOW", "WARN", "REDACT", "BLOCK", "none"},
		"code": extproc.Codes(), "stage": {"PRE_INFERENCE_GATE", "POST_INFERENCE_GATE"},
		"category": {"NONE", "UNAVAILABLE", "ZOO", "WEAPONS"}, "direction": {"request", "response"},
		"reason": {"deadline", "shutdown", "requests", "memory"},
	}
	for _, a := range decode.APIs() {
		closed["api"] = append(closed["api"], a.Name)
	}
	label := regexp.MustCompile(`([a-z_]+)="([^"]*)"`)
	for line := range strings.Lines(got) {
		if !strings.HasPrefix(line, "confidential_safety_") || strings.HasPrefix(line, "confidential_safety_build_info") {
			continue
		}
		for _, l := range label.FindAllStringSubmatch(line, -1) {
			if !slices.Contains(closed[l[1]], l[2]) {
				t.Errorf("%s is not of a closed set: %s", l[0], line)
			}
		}
	}
}
