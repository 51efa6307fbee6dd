package extproc

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// passOn is a processor that lets everything pass unread.
type passOn struct {
	extprocv3.UnimplementedExternalProcessorServer
}

func (passOn) Process(stream extprocv3.ExternalProcessor_ProcessServer) error {
	r := &reply{stream: stream, id: "x", observer: nobody{}}
	for {
		m, err := stream.Recv()
		if err != nil {
			return err
		}
		switch q := m.GetRequest().(type) {
		case *extprocv3.ProcessingRequest_RequestHeaders:
			err = r.headers(request, q.RequestHeaders.GetHeaders(), keepRequestHeader, unknownLength)
		case *extprocv3.ProcessingRequest_ResponseHeaders:
			err = r.headers(response, q.ResponseHeaders.GetHeaders(), keepResponseHeader, unknownLength)
		case *extprocv3.ProcessingRequest_RequestBody:
			err = r.bodyPieces(request, q.RequestBody.GetBody(), true)
		case *extprocv3.ProcessingRequest_ResponseBody:
			err = r.bodyPieces(response, q.ResponseBody.GetBody(), true)
		}
		if err != nil {
			return err
		}
	}
}

// BenchmarkOverGRPC compares an exchange over a Unix socket with one that a
// processor without any inspection handles.
func BenchmarkOverGRPC(b *testing.B) {
	h := newHouse(b)
	h.cfg.Recorder, h.cfg.Log = noRecorder{}, slog.New(slog.DiscardHandler)
	b.Run("passOn", func(b *testing.B) { overGRPC(b, passOn{}) })
	b.Run("inspected", func(b *testing.B) { overGRPC(b, h.Server) })
}

func overGRPC(b *testing.B, srv extprocv3.ExternalProcessorServer) {
	kilobyte := strings.Repeat(benchWords, 14)
	halves := [][]*extprocv3.ProcessingRequest{
		{post(), reqBody(ask(kilobyte), true)}, {respJSON(), respBody(says(kilobyte), true)},
	}
	path := filepath.Join(b.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		b.Fatal(err)
	}
	g := grpc.NewServer()
	extprocv3.RegisterExternalProcessorServer(g, srv)
	go func() { _ = g.Serve(l) }()
	b.Cleanup(g.Stop)
	conn, err := grpc.NewClient("unix://"+path, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	client := extprocv3.NewExternalProcessorClient(conn)
	b.ReportAllocs()
	for b.Loop() {
		ctx, cancel := context.WithCancel(b.Context())
		stream, err := client.Process(ctx)
		if err != nil {
			b.Fatal(err)
		}
		for _, half := range halves {
			for _, m := range half {
				if err := stream.Send(m); err != nil {
					b.Fatal(err)
				}
			}
			for range half {
				if _, err := stream.Recv(); err != nil {
					b.Fatal(err)
				}
			}
		}
		cancel()
	}
}
