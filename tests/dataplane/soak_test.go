package dataplane

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// What docs/limits.md says that the two processes take at most under the
// default limits, in MiB.
const (
	sidecarCap = 1280
	envoyCap   = 1280
)

const (
	soakUpstream = 12 * time.Second // --upstream-timeout
	soakPause    = 4 * time.Second  // of a client that does not read
)

// TestSoak has 500 streams at once, of clients and upstreams that are quick,
// slow, stalled, or gone. Each gets its end or its error, nothing is held
// afterwards, and both processes stay within what the documents say.
func TestSoak(t *testing.T) {
	m := newModel()
	m.srv.Start()
	t.Cleanup(m.srv.Close)
	socket := filepath.Join(runtimeDir, "soak")
	s := start(t, "--policy", "testdata/policy.toml", "--upstream", m.srv.URL,
		"--upstream-timeout", soakUpstream.String(), "--metrics-addr", "unix://"+socket)
	envoy := envoyOf(t, s)
	streams, words := 500, 300_000
	if raceEnabled { // which is twenty times slower
		streams, words = 60, 10_000
	}
	kinds := soakKinds(words)
	began := time.Now()
	outcomes := make(map[string]int)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range streams {
		wg.Go(func() {
			kind := kinds[i%len(kinds)]
			token, _ := m.answer(kind.answer)
			client := []*http.Client{s.client, s.client2}[i/len(kinds)%2]
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
			defer cancel()
			end := soakOne(ctx, client, s.url, token, kind)
			mu.Lock()
			defer mu.Unlock()
			outcomes[kind.name+": "+end]++
			if !kind.may[end] {
				t.Errorf("%d %s: %s", i, kind.name, end)
			}
		})
	}
	over := make(chan struct{})
	asked := make(chan int)
	go func() { asked <- healthUntil(t, s, over) }()
	wg.Wait()
	close(over)
	if n := <-asked; n == 0 {
		t.Error("health was not asked for")
	}
	t.Logf("%v in %v", outcomes, time.Since(began).Round(time.Second))
	for _, k := range kinds {
		if got := outcomes[k.name+": "+k.most]; got < k.least*streams/len(kinds)/100 {
			t.Errorf("%s: %d of %d ended with %s", k.name, got, streams/len(kinds), k.most)
		}
	}
	for name, c := range map[string]struct{ pid, limit int }{"sidecar": {s.cmd.Process.Pid, sidecarCap}, "envoy": {envoy, envoyCap}} {
		peak := peakRSS(t, c.pid)
		t.Logf("%s: at most %d MiB", name, peak)
		if peak > c.limit && !raceEnabled {
			t.Errorf("%s took %d MiB, the documents say %d", name, peak, c.limit)
		}
	}
	waitFor(t, "nothing to be held", func() bool {
		got := scrape(t, socket)
		return got["exchanges_in_flight"] == 0 && got["inspected_bytes"] == 0
	})
	if got := scrape(t, socket); got["panics_total"] != 0 || got["verdicts_unrecorded_total"] != 0 {
		t.Errorf("%v", got)
	}
	g := send(t, s.client, request(t, http.MethodGet, s.url+"/v1/health", "", ""))
	if g.status != http.StatusOK {
		t.Errorf("health afterwards: %d", g.status)
	}
}

// healthUntil asks for the health again and again, of which none may fail, and
// returns how often that was.
func healthUntil(t testing.TB, s *sidecar, over <-chan struct{}) (asked int) {
	c := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: s.roots}, DisableKeepAlives: true,
	}}
	for ; ; asked++ {
		resp, err := c.Get(s.url + "/v1/health")
		if err != nil {
			t.Errorf("health under load: %v", err)
			return asked
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("health under load: %d", resp.StatusCode)
		}
		select {
		case <-over:
			return asked
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// soakKind is a kind of exchange, and how it may end.
type soakKind struct {
	name   string
	body   string
	answer http.HandlerFunc
	pause  time.Duration // of the client, behind the first event
	leave  bool          // the client goes then
	may    map[string]bool
	most   string // how they end where there is time and room
	least  int    // that many of them do, in percent
}

// soakWords are those of an event.
var soakWords = strings.Repeat("All is quiet on the water. ", 150)

// soakKinds are all of them. Large bodies have the given number of sentences.
func soakKinds(sentences int) []soakKind {
	return []soakKind{
		{name: "quick", body: prompt("hi", streaming), answer: pieces(streamed(strings.Split(soakWords, " ")...)), may: ends("done", "upstream_timeout"), most: "done", least: 50},
		{name: "slow client", body: prompt("hi", streaming), answer: manyEvents(600), pause: soakPause, may: ends("done", "upstream_timeout"), most: "done", least: 50},
		{name: "slow upstream", body: prompt("hi", streaming), answer: slowEvents(40, 100*time.Millisecond), may: ends("done", "upstream_timeout"), most: "done", least: 50},
		{name: "stalled upstream", body: prompt("hi", streaming), answer: stalled, may: ends("upstream_timeout"), most: "upstream_timeout", least: 100},
		{name: "big body", body: prompt(strings.Repeat("All is well. ", sentences)), answer: whole(completion(strings.Repeat(soakWords, 400))), may: ends("whole", "overloaded", "upstream_timeout"), most: "whole", least: 20},
		{name: "client that leaves", body: prompt("hi", streaming), answer: manyEvents(600), pause: time.Second, leave: true, may: ends("left"), most: "left", least: 100},
	}
}

func ends(names ...string) map[string]bool {
	m := make(map[string]bool)
	for _, n := range names {
		m[n] = true
	}
	return m
}

// manyEvents answers with a stream of n events of 4 KiB as fast as it is read.
func manyEvents(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		event := said(0, soakWords)
		for range n {
			if _, err := io.WriteString(w, event); err != nil {
				return
			}
		}
		_, _ = io.WriteString(w, done)
	}
}

func slowEvents(n int, pause time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range n {
			if _, err := io.WriteString(w, said(0, "a word. ")); err != nil {
				return
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				return
			}
			select {
			case <-time.After(pause):
			case <-r.Context().Done():
				return
			}
		}
		_, _ = io.WriteString(w, done)
	}
}

func stalled(w http.ResponseWriter, r *http.Request) {
	pieces(said(0, "a word. "))(w, r)
	<-r.Context().Done()
}

// soakOne makes one exchange and says how it ended.
func soakOne(ctx context.Context, c *http.Client, base, token string, k soakKind) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+chatPath, strings.NewReader(k.body))
	if err != nil {
		return err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", token)
	resp, err := c.Do(req)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	r := bufio.NewReaderSize(resp.Body, 4<<10)
	if k.pause > 0 {
		_, _ = r.Peek(1)
		select {
		case <-time.After(k.pause):
		case <-ctx.Done():
			return "out of time"
		}
	}
	if k.leave {
		return "left"
	}
	body, err := io.ReadAll(r)
	if err != nil {
		return err.Error()
	}
	text := string(body)
	if i := strings.LastIndex(text, `data: {"error"`); i >= 0 {
		text = strings.TrimPrefix(text[i:], "data: ")
	}
	var refused refusal
	switch {
	case strings.HasSuffix(text, done):
		return "done"
	case json.Unmarshal([]byte(text), &refused) != nil:
		return fmt.Sprintf("%d and %d bytes", resp.StatusCode, len(body))
	case refused.Error.Code != "":
		return refused.Error.Code
	case resp.StatusCode == http.StatusOK:
		return "whole"
	default:
		return resp.Status
	}
}

// peakRSS is the most memory that a process has had so far, in MiB.
func peakRSS(t testing.TB, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kb >> 10
		}
	}
	t.Fatal(errors.New("no VmHWM"))
	return 0
}

// scrape reads our metrics that have no labels.
func scrape(t testing.TB, socket string) map[string]float64 {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
		DisableKeepAlives: true,
	}}
	resp, err := c.Get("http://metrics/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	values := make(map[string]float64)
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			values[strings.TrimPrefix(name, "confidential_safety_")] = v
		}
	}
	return values
}
