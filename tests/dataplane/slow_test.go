package dataplane

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A client that does not read stops its answer, and what waits for it in the
// sidecar is little, and counted.
func TestSlowClientsHoldLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("under the race detector memory is another")
	}
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	socket := filepath.Join(runtimeDir, "slow")
	// So that what is in memory is in use, and no garbage.
	s, err := launchWith(append(environment(), "GOGC=5"), t.TempDir(),
		"--policy", "testdata/policy.toml", "--upstream", m.srv.URL, "--metrics-addr", "unix://"+socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop(t) })
	token, _ := m.answer(manyEvents(100_000))
	ask(t, s.client, s.url, "unknown", prompt("hi")) // what is only made once
	before := memoryOf(t, s.cmd.Process.Pid)
	const clients = 60
	address := strings.TrimPrefix(s.url, "https://")
	for range clients {
		c, err := tls.Dial("tcp", address, &tls.Config{RootCAs: s.roots, NextProtos: []string{"http/1.1"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		body := prompt("hi", streaming)
		_, err = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			chatPath, token, len(body), body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(bufio.NewReaderSize(c, 16), make([]byte, 12)); err != nil {
			t.Fatal(err)
		}
	}
	// Until nothing moves.
	moved := -1.0
	waitFor(t, "all to stand still", func() bool {
		time.Sleep(200 * time.Millisecond)
		got := scrape(t, socket)[`body_received_bytes_total{direction="response"}`]
		still := got == moved
		moved = got
		return still
	})
	got := scrape(t, socket)
	each := (memoryOf(t, s.cmd.Process.Pid) - before) / clients
	t.Logf("%d KiB for each client, %.0f KiB counted", each, got["inspected_bytes"]/clients/1024)
	if got["exchanges_in_flight"] != clients || each > 1152 {
		t.Errorf("%v exchanges, %d KiB for each", got["exchanges_in_flight"], each)
	}
}

// memoryOf is what a process has in memory, in KiB.
func memoryOf(t testing.TB, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kb
}
