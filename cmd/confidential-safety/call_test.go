package main

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"testing"
)

// notOneLine says what is wrong with an error on standard error.
func notOneLine(stderr string) string {
	switch line, ok := strings.CutSuffix(stderr, "\n"); {
	case !ok || strings.Contains(line, "\n"):
		return "not one line: " + strconv.Quote(stderr)
	case !strings.HasPrefix(line, "confidential-safety: "):
		return "does not name the program: " + line
	case strings.TrimSpace(line) != line || strings.ContainsAny(line, "\t\r"):
		return "untidy: " + strconv.Quote(line)
	}
	return ""
}

// result is what a command came to.
type result struct {
	code           int
	stdout, stderr string
}

// call runs the program in this process.
func call(t testing.TB, stdin string, args ...string) result {
	t.Helper()
	return callFrom(t, strings.NewReader(stdin), args...)
}

func callFrom(t testing.TB, stdin io.Reader, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, stdin, &stdout, &stderr)
	if code != 0 {
		if problem := notOneLine(stderr.String()); problem != "" {
			t.Errorf("%q: %s", args, problem)
		}
	}
	return result{code, stdout.String(), stderr.String()}
}
