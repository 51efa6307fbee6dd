package dataplane

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// answer is one that a client got.
type answer struct {
	status  int
	header  http.Header
	code    string // of an error object
	bare    bool   // without a body
	outcome string
}

// newAnswer names an answer. good is the body that an outcome of 200 has.
func newAnswer(status int, header http.Header, body []byte, good string) *answer {
	a := &answer{status: status, header: header, bare: len(body) == 0}
	var object struct {
		Error struct{ Code string }
	}
	if json.Unmarshal(body, &object) == nil {
		a.code = object.Error.Code
	}
	switch grpc := header.Get("grpc-status"); {
	case grpc != "":
		a.outcome = "grpc-status " + grpc
		if json.Unmarshal([]byte(header.Get("grpc-message")), &object) == nil {
			a.code = object.Error.Code
		}
	case a.code != "":
		a.outcome = fmt.Sprintf("%d %s", status, a.code)
	case status == http.StatusOK && string(body) == good:
		a.outcome = "200"
	case a.bare:
		a.outcome = fmt.Sprintf("%d bare", status)
	default:
		a.outcome = fmt.Sprintf("%d with another body", status)
	}
	return a
}

// checkVerdict holds that what is inspected has one verdict, and nothing else
// has one.
func (a *answer) checkVerdict(t *testing.T, log map[string][]verdictLine) {
	t.Helper()
	want := "BLOCK"
	switch {
	case a.status < 200, a.code == "not_found", a.code == "http_refused", a.bare && a.status >= 400:
		want = ""
	case a.status < 400 && a.code == "", a.status == http.StatusUnauthorized:
		want = "ALLOW"
	}
	var got []string
	for _, v := range log[a.header.Get("x-request-id")] {
		got = append(got, v.Action)
	}
	if a.status == http.StatusBadGateway && len(got) == 1 {
		return // Envoy's own answer is inspected, and allowed
	}
	if strings.Join(got, ", ") != want {
		t.Errorf("verdicts of %s: %q, want %q", a.outcome, got, want)
	}
}

// writeTable writes what was tried, a line a shape.
func writeTable(t *testing.T, path string, results []*tried) {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("| shape | outcome |\n|---|---|\n")
	sorted := slices.SortedFunc(slices.Values(results), func(a, b *tried) int { return strings.Compare(a.shape.name, b.shape.name) })
	for _, r := range sorted {
		fmt.Fprintf(&b, "| %s | %s |\n", strings.ReplaceAll(r.shape.name, "|", "\\|"), r.outcome)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// How long to wait for an answer that should come, and for one that should not.
const (
	patience = 10 * time.Second
	silence  = 200 * time.Millisecond
)
