package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/difflabai/confidential-safety/measure"
)

// labelled are n rows, of which every seventh is a miss, and its line and id
// tell it.
func labelled(n int) string {
	var b strings.Builder
	for i := range n {
		text, category := "a dog and a cat, number "+fmt.Sprint(i), "BENIGN"
		if i%7 == 0 {
			text, category = strings.Repeat("words ", i%500), "WEAPONS"
		}
		fmt.Fprintf(&b, `{"id":%d,"text":%q,"category":%q,"role":"prompt"}`+"\n", i, text, category)
	}
	return b.String()
}

// Many processors judge, and yet the rows come in their order and none is lost.
func TestEvalOrder(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	const n = 20_000
	list := filepath.Join(t.TempDir(), "list.jsonl")
	r := call(t, labelled(n), "policy", "eval", "--policy", testPolicy, "--json", "--misjudged", list, "-")
	var report measure.Report
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil || r.code != 0 {
		t.Fatalf("%v: %+v", err, r)
	}
	const misses = (n + 6) / 7
	if got := report.Positive.Total; report.Rows != n || got.N != misses || got.Hits != 0 || report.Benign.Total.N != n-misses {
		t.Errorf("%+v", report)
	}
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) != misses {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines {
		want := fmt.Sprintf(`{"file":"standard input","line":%d,"id":%d,"as":"missed",`, 7*i+1, 7*i)
		if !strings.HasPrefix(line, want) {
			t.Fatalf("line %d is %s, want %s", i+1, line, want)
		}
	}
}

// Of many rows that are wrong the first is told, whoever comes to it first.
func TestEvalFirstError(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	good := labelled(3000)
	// Judging the batch with the first error takes longest.
	in := good + `{"text":"` + strings.Repeat("long ", 500_000) + `","category":"BENIGN","role":"prompt"}` + "\nsecret\n" + strings.Repeat("secret\n", 50_000)
	r := call(t, in, "policy", "eval", "-")
	if r.code != 1 || r.stdout != "" || !strings.Contains(r.stderr, "standard input:3002: not an object") || strings.Contains(r.stderr, "secret") {
		t.Errorf("%d, %q, %q", r.code, r.stdout, r.stderr)
	}
}

func TestEvalLastLine(t *testing.T) {
	const row = `{"text":"a dog","category":"BENIGN","role":"prompt"}`
	for _, end := range []string{"", "\n", "\r\n", "\n\n \n"} {
		if r := call(t, row+"\r\n"+row+end, "policy", "eval", "-"); r.code != 0 || !strings.Contains(r.stdout, "\n2 rows of 1 file.") {
			t.Errorf("%q: %+v", end, r)
		}
	}
}

// A wrong row is told though the input goes on, and who reads it does not.
func TestEvalToldAtOnce(t *testing.T) {
	in, feed := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(t.Context(), []string{"policy", "eval", "-"}, in, io.Discard, io.Discard)
	}()
	if _, err := io.WriteString(feed, "wrong\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-code:
		if got != 1 {
			t.Errorf("exit code %d", got)
		}
	case <-time.After(20 * time.Second):
		t.Error("still waiting for input")
	}
	_ = feed.Close()
}

// A caller that has gone away ends it, wherever it is, and no row is blamed.
func TestEvalCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rows := labelled(2000)
	for range 50 {
		var stderr bytes.Buffer
		code := run(ctx, []string{"policy", "eval", "--policy", testPolicy, "-"}, strings.NewReader(rows), io.Discard, &stderr)
		if code != 1 || stderr.String() != "confidential-safety: context canceled\n" {
			t.Fatalf("exit code %d, stderr %q", code, &stderr)
		}
	}
}

// Whoever waits for less than two seconds, or not at a terminal, is told nothing.
func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shown strings.Builder
		p := newProgress(&shown, nil)
		if p.terminal != nil {
			t.Fatal("a buffer is no terminal")
		}
		p.terminal, p.size = &shown, 1000
		time.Sleep(patience - time.Nanosecond)
		p.add(10, 100)
		if shown.String() != "" {
			t.Errorf("%q", shown.String())
		}
		time.Sleep(time.Nanosecond)
		p.add(10, 100)
		time.Sleep(refresh - time.Nanosecond)
		p.add(10, 100)
		time.Sleep(time.Nanosecond)
		p.add(10, 101)
		p.end()
		if want := "\r20 rows, 20%\r40 rows, 40%\r\x1b[K"; shown.String() != want {
			t.Errorf("%q, want %q", shown.String(), want)
		}

		shown.Reset()
		p = newProgress(io.Discard, []*source{{}})
		p.terminal = &shown
		p.end()
		time.Sleep(patience)
		p.add(1, 1)
		if shown.String() != "\r1 rows" {
			t.Errorf("%q", shown.String())
		}
		p = newProgress(io.Discard, nil)
		time.Sleep(patience)
		p.add(1, 1)
		p.end()
	})
}

func TestIsTerminal(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = read.Close() }()
	defer func() { _ = write.Close() }()
	for name, w := range map[string]io.Writer{"file": file, "pipe": write, "buffer": io.Discard} {
		if isTerminal(w) {
			t.Errorf("a %s is no terminal", name)
		}
	}
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	defer func() { _ = terminal.Close() }()
	if !isTerminal(terminal) {
		t.Error("a terminal is one")
	}
}
