package extproc

import (
	"context"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Over real gRPC, of which the exchanges are finished, blocked, broken off and
// left hanging, no goroutine and nothing shared is left.
func TestNoLeaks(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	h := newHouse(t)
	h.cfg.MaxRequests = 20
	h.cfg.Timeouts = Timeouts{Request: 300 * time.Millisecond, Upstream: 300 * time.Millisecond, Response: time.Second}
	h.faulty.word, h.faulty.do = "fox", func() error { panic("the secret fox") }
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	h.Register(g)
	served := make(chan error, 1)
	go func() { served <- g.Serve(l) }()
	conn, err := grpc.NewClient("unix://"+path, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	client := extprocv3.NewExternalProcessorClient(conn)
	var wg sync.WaitGroup
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range 400 {
		words := []string{"hi", "codename nightjar", "the fox", strings.Repeat("long ", 20_000)}[i%4]
		script := []*extprocv3.ProcessingRequest{
			post(), reqBody(ask("hi"), true), respSSE(), respBody(event(words), false), respBody(doneEvent, true),
		}
		if i%3 == 0 {
			script = []*extprocv3.ProcessingRequest{post(), reqBody(ask(words), true), respJSON(), respBody(says(words), true)}
		}
		cut, leave := rnd.IntN(len(script)+1), rnd.IntN(3) == 0
		wg.Go(func() { half(client, script[:cut], leave) })
		if i%40 == 39 {
			wg.Wait()
		}
	}
	wg.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	h.Drain(ctx)
	_ = conn.Close()
	g.GracefulStop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	expectNothingHeld(t, h)
	if h.observer.began < 300 || h.observer.events[EventPanic] == 0 || h.observer.codes["content_blocked"] == 0 {
		t.Errorf("%+v", h.observer)
	}
}

// half sends part of an exchange, and then goes, or waits for what becomes of
// it.
func half(c extprocv3.ExternalProcessorClient, script []*extprocv3.ProcessingRequest, leave bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	stream, err := c.Process(ctx)
	if err != nil {
		return
	}
	for _, m := range script {
		if stream.Send(m) != nil {
			break
		}
	}
	if leave {
		return
	}
	for {
		// As Envoy does, end the stream when its answer is there.
		m, err := stream.Recv()
		if err != nil {
			return
		}
		if m.GetImmediateResponse() != nil || m.GetResponseBody().GetResponse().GetBodyMutation().GetStreamedResponse().GetEndOfStream() {
			_ = stream.CloseSend()
		}
	}
}
