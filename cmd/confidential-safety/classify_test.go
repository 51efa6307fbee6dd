package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

const testPolicy = "testdata/policy/policy.toml"

// What is wrong with a row is said by its number and never in its words; the
// rows before it are answered.
func TestClassifyBadRows(t *testing.T) {
	const good = `{"id":1,"text":"hello"}` + "\n"
	for name, c := range map[string]struct{ row, want string }{
		"no JSON":               {`secret`, "not an object"},
		"cut off":               {`{"id":1,"text":"secret`, "not an object"},
		"an array":              {`["secret"]`, "not an object"},
		"null":                  {`null`, "is missing"},
		"no id":                 {`{"text":"secret"}`, "is missing"},
		"no text":               {`{"id":"secret"}`, "is missing"},
		"text is null":          {`{"id":"secret","text":null}`, "is missing"},
		"text is no string":     {`{"id":1,"text":["secret"]}`, "not an object"},
		"other case":            {`{"ID":1,"Text":"secret"}`, "is missing"},
		"duplicate key":         {`{"id":1,"text":"secret","text":"hi"}`, "not an object"},
		"duplicate by escape":   {`{"id":1,"text":"secret","te\u0078t":"hi"}`, "not an object"},
		"duplicate in an extra": {`{"id":1,"text":"secret","x":{"a":1,"a":2}}`, "not an object"},
		"invalid UTF-8":         {"{\"id\":1,\"text\":\"secret \xff\"}", "not valid UTF-8"},
		"lone surrogate":        {`{"id":1,"text":"secret \ud800"}`, "not an object"},
		"two values":            {`{"id":1,"text":"secret"} {}`, "not an object"},
		"byte order mark":       {"\ufeff" + good, "not an object"},
		"control character":     {"{\"id\":1,\"text\":\"secret \x00\"}", "not an object"},
	} {
		t.Run(name, func(t *testing.T) {
			r := call(t, good+"\n"+good+c.row+"\n"+good, "policy", "classify", "--stage", "input")
			if r.code != 1 || strings.Count(r.stdout, "\n") != 2 {
				t.Errorf("exit code %d, stdout %q", r.code, r.stdout)
			}
			if !strings.Contains(r.stderr, " line 4: ") || !strings.Contains(r.stderr, c.want) || strings.Contains(r.stderr, "secret") {
				t.Errorf("stderr %q", r.stderr)
			}
		})
	}
}

func TestClassifyLastLine(t *testing.T) {
	for _, end := range []string{"", "\n", "\r\n", "\n\n  \n", "\n\t"} {
		r := call(t, `{"id":1,"text":"a"}`+"\n"+`{"id":2,"text":"b"}`+end, "policy", "classify", "--stage", "output")
		if r.code != 0 || strings.Count(r.stdout, "\n") != 2 || !strings.HasSuffix(r.stdout, "}\n") {
			t.Errorf("%q: %+v", end, r)
		}
	}
}

// Lines longer than the buffers are lines like others.
func TestClassifyLongLine(t *testing.T) {
	long := strings.Repeat("many words and ", 20_000)
	r := call(t, `{"id":1,"text":"`+long+`purple giraffe"}`+"\n"+`{"id":2,"text":"`+long+`"}`,
		"policy", "classify", "--stage", "input", "--policy", testPolicy)
	if rows := strings.Split(r.stdout, "\n"); r.code != 0 || len(rows) != 3 ||
		!strings.Contains(rows[0], `"BLOCK"`) || !strings.Contains(rows[1], `"ALLOW"`) {
		t.Errorf("%+v", r)
	}
}

// A row is answered before the next one has come, even if that has begun.
func TestClassifyStreams(t *testing.T) {
	in, feed := io.Pipe()
	answers, out := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(t.Context(), []string{"policy", "classify", "--stage", "input"}, in, out, io.Discard)
		_ = out.Close()
	}()
	lines := bufio.NewReader(answers)
	expect := func(id int) {
		t.Helper()
		got := make(chan string, 1)
		go func() {
			line, _ := lines.ReadString('\n')
			got <- line
		}()
		select {
		case line := <-got:
			if !strings.HasPrefix(line, fmt.Sprintf(`{"id":%d,`, id)) {
				t.Fatalf("row %d is answered by %q", id, line)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("no answer to row %d", id)
		}
	}
	send := func(s string) {
		if _, err := io.WriteString(feed, s); err != nil {
			t.Fatal(err)
		}
	}
	send(`{"id":1,"text":"a"}` + "\n")
	expect(1)
	send(`{"id":2,"text":"b"}` + "\n" + `{"id":3,`)
	expect(2)
	send(`"text":"c"}` + "\n\n" + `{"id":4,"text":"d"}` + "\n\n")
	expect(3)
	expect(4)
	_ = feed.Close()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// Findings are for the stage that was asked about, and "[]" is never null.
func TestClassifyFields(t *testing.T) {
	r := call(t, `{"id":1,"text":"hello"}`, "policy", "classify", "--stage", "input")
	var row map[string]any
	if err := json.Unmarshal([]byte(r.stdout), &row); err != nil || len(row) != 4 {
		t.Fatalf("%v: %q", err, r.stdout)
	}
	if findings, ok := row["findings"].([]any); !ok || len(findings) != 0 {
		t.Errorf("%v", row["findings"])
	}
}

// rows are n rows of harmless words, of some 250 bytes each.
func rows(n int) string {
	words := strings.Fields("the garden is green and a river runs beside it while children read books about stars " +
		"bread water stone market window letter number music history how to bake repair paint teach write answer")
	random := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":%d,"text":"`, i)
		for range 40 {
			b.WriteString(words[random.IntN(len(words))])
			b.WriteByte(' ')
		}
		b.WriteString("\"}\n")
	}
	return b.String()
}

func BenchmarkClassify(b *testing.B) {
	const n = 5000
	in := rows(n)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if r := call(b, in, "policy", "classify", "--stage", "input"); r.code != 0 {
			b.Fatal(r.stderr)
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
