package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestDemoModelServes(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, stdout := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"demo-model", "--listen", "127.0.0.1:0"}, strings.NewReader(""), stdout, io.Discard)
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var ready struct {
		Ready bool   `json:"ready"`
		URL   string `json:"url"`
	}
	if err := json.Unmarshal([]byte(line), &ready); err != nil || !ready.Ready {
		t.Fatalf("%q: %v", line, err)
	}
	resp, err := http.Get(ready.URL + "/v1/models")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d", resp.StatusCode)
	}
	cancel()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// An address that is taken is refused before anything starts.
func TestAddressTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // a test's listener
	const want = "address already in use: choose another address with --listen"
	if r := call(t, "", "demo-model", "--listen", l.Addr().String()); r.code != 2 || r.stdout != "" || !strings.Contains(r.stderr, want) {
		t.Errorf("%+v", r)
	}
	if err := vacant(l.Addr().String()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v", err)
	}
	if err := vacant("127.0.0.1:0"); err != nil {
		t.Error(err)
	}
}
