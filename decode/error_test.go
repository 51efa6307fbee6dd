package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
)

func TestFaultOf(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want Fault
	}{
		{&Error{TooDeep, 3}, TooDeep},
		{fmt.Errorf("wrapped: %w", &Error{Duplicate, 3}), Duplicate},
		{io.ErrUnexpectedEOF, Malformed},
		{errors.New("other"), Malformed},
	} {
		if got := FaultOf(tc.err); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.err, got, tc.want)
		}
	}
}

// secret must not show in anything that is said about a body.
const secret = "codename-nightjar"

func TestErrorsHoldNoContent(t *testing.T) {
	for _, body := range []string{
		secret, `"` + secret, `{"` + secret + `":1,"` + secret + `":2}`, `{"` + secret + `" 1}`, `{"a":` + secret + `}`,
		`"` + secret + "\xff\"", `"` + secret + `\ud800"`, `{} ` + secret, `{"messages":[{"audio":"` + secret + `"}]}`,
		`{"messages":[{"content":[{"type":"` + secret + `"}]}]}`, `{"choices":[{"index":"` + secret + `"}]}`,
	} {
		for _, r := range []Reader{chat(t).ReadRequest(DefaultLimits()), chat(t).ReadResponse(DefaultLimits())} {
			wantNoSecret(t, r, body)
		}
		wantNoSecret(t, chat(t).ReadStream(DefaultLimits()), "data: "+body+"\n\n")
	}
}

func wantNoSecret(t *testing.T, r Reader, body string) {
	t.Helper()
	_, err := readAll(r, []byte(body))
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", e, e, e), "nightjar") {
			t.Errorf("the error for %q holds content", body)
		}
	}
	if err != nil && !errors.As(err, new(*Error)) {
		t.Errorf("an error of another kind: %T", err)
	}
}

func TestLogsHoldNoContent(t *testing.T) {
	ev := mustRead(t, chat(t).ReadRequest(DefaultLimits()), `{"messages":[{"content":"`+secret+`"}]}`)[0]
	var b bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("m", "ev", ev, "copy", *ev, "piece", ev.Pieces[0], "pointer", &ev.Pieces[0])
	}
	if strings.Contains(b.String(), "nightjar") || strings.Contains(b.String(), "110 105 103 104 116") {
		t.Errorf("content in the log: %s", b.String())
	}
}
