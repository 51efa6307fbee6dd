package dataplane

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/difflabai/confidential-safety/attest"
	"github.com/difflabai/confidential-safety/envoy"
)

// The variables by which this test binary becomes a processor: what it is, and
// the socket on which it serves.
const (
	matrixChild  = "MATRIX_CHILD"
	matrixSocket = "MATRIX_SOCKET"
)

// becomeMatrixChild turns this process into a processor if it was started as one.
func becomeMatrixChild() {
	kind, socket := os.Getenv(matrixChild), os.Getenv(matrixSocket)
	if kind == "" {
		return
	}
	err := serveMatrixChild(kind, socket)
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func serveMatrixChild(kind, socket string) error {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "unix", socket)
	if err != nil {
		return err
	}
	s := grpc.NewServer(grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second / 2, PermitWithoutStream: true}))
	switch kind {
	case "processor":
		registerBrokenProcessor(s)
	case "classifier":
		if err := registerBrokenClassifier(s, filepath.Dir(socket)); err != nil {
			return err
		}
	}
	return s.Serve(l)
}

// child is a processor in a process of its own and an Envoy that asks it.
type child struct {
	dir, url, log string
}

func startChild(t *testing.T, kind string, up *rawModel) *child {
	t.Helper()
	c := &child{dir: matrixDir(t)}
	c.log = filepath.Join(c.dir, "log")
	upstream, err := url.Parse(up.url())
	if err != nil {
		t.Fatal(err)
	}
	settings := envoy.Settings{
		Listen: "127.0.0.1:0", Upstream: upstream, PolicyVersion: "7.1.0-test",
		Routes:        []envoy.Route{{Method: http.MethodPost, Path: chatPath}},
		ExtProcSocket: filepath.Join(c.dir, "ext"), SDSSocket: filepath.Join(c.dir, "sds"), AdminSocket: filepath.Join(c.dir, "adm"),
		Connections: 1024, ConnectionStreams: 100, HeaderKB: 60, Headers: 100, Requests: 1024, Memory: 1 << 30,
		StreamIdle: time.Hour, StreamMax: time.Hour, DrainTimeout: time.Second,
	}
	log, err := os.Create(c.log)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(environment(), matrixChild+"="+kind, matrixSocket+"="+settings.ExtProcSocket)
	cmd.Stderr = log
	err = cmd.Start()
	_ = log.Close()
	if err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	t.Cleanup(func() {
		select {
		case <-exited:
			text, _ := os.ReadFile(c.log)
			t.Errorf("the %s ended by itself: %.2000s", kind, text)
		default:
			_ = cmd.Process.Kill()
			<-exited
		}
	})
	serveSecrets(t, settings.SDSSocket)
	boot, err := envoy.Bootstrap(settings)
	if err != nil {
		t.Fatal(err)
	}
	text, err := envoy.Marshal(boot)
	if err != nil {
		t.Fatal(err)
	}
	c.url = startEnvoyOn(t, c.dir, text, settings.AdminSocket)
	return c
}

func serveSecrets(t *testing.T, socket string) {
	t.Helper()
	key, err := attest.NewTLSKey([]string{"127.0.0.1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	secrets := envoy.NewSecrets()
	if err := secrets.SetTLS(key.Chain, key.KeyPEM()); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	sds := grpc.NewServer()
	secrets.Register(context.Background(), sds)
	go func() { _ = sds.Serve(l) }()
	t.Cleanup(sds.Stop)
}

func (c *child) verdicts(id string) []verdictLine {
	return verdictsIn(c.log, func(v verdictLine) bool { return v.RequestID == id })
}
