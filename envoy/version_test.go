package envoy

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseVersion(t *testing.T) {
	line := func(v string) string { return "/usr/bin/envoy  version: 0123abcd/" + v + "/Clean/RELEASE/BoringSSL" }
	for _, tc := range []struct {
		line, want string // empty where it is refused
	}{
		{line("1.40.0"), "1.40.0"},
		{line("1.39.1"), "1.39.1"},
		{line("1.41.0-dev"), "1.41.0-dev"},
		{line("1.39.1-dev-20260101"), "1.39.1-dev"},
		{line("0.0.0"), "0.0.0"},
		{line("1.40.10"), "1.40.10"},
		{"envoy  version: /1.40.0/Modified/DEBUG/OpenSSL", "1.40.0"}, // a build from no checkout
		{"", ""},
		{"1.40.0", ""},
		{"envoy version 1.40.0", ""},
		{line("1.40"), ""},
		{line("1.40.0.1"), ""},
		{line("v1.40.0"), ""},
		{line("-1.40.0"), ""},
		{line("1.99999.0"), ""},
		{line("1.40.0 "), ""},
		{line(""), ""},
		{"envoy  version: 0123abcd/1.40.0", ""}, // cut off
	} {
		v, err := parseVersion(tc.line)
		switch {
		case tc.want == "":
			wantError(t, tc.line, err)
		case err != nil || v.String() != tc.want:
			t.Errorf("%q: %v, %v", tc.line, v, err)
		}
	}
}

func TestVersionOrder(t *testing.T) {
	inOrder := []Version{{0, 9, 9, false}, {1, 2, 9, false}, {1, 10, 0, true}, {1, 10, 0, false}, {1, 10, 1, true}, {1, 10, 1, false}, {2, 0, 0, true}, {2, 0, 0, false}}
	for i, v := range inOrder {
		for j, w := range inOrder {
			if v.before(w) != (i < j) {
				t.Errorf("%v before %v: %v", v, w, v.before(w))
			}
		}
	}
}

func TestCheckVersion(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct {
		name, body string
		want       string // in the error; empty where it is accepted
	}{
		{"1.39.1", says("1.39.1"), ""},
		{"1.39.2", says("1.39.2"), ""},
		{"1.40.0", says("1.40.0"), ""},
		{"1.40.0-dev", says("1.40.0-dev"), ""},
		{"2.0.0", says("2.0.0"), ""},
		{"1.39.1-dev", says("1.39.1-dev"), "version 1.39.1-dev, which does not fail closed: name one of 1.39.1 or later with --envoy"},
		{"1.39.0", says("1.39.0"), "version 1.39.0, which does not fail closed"},
		{"1.38.9", says("1.38.9"), "version 1.38.9, which does not fail closed"},
		{"1.4.0", says("1.4.0"), "version 1.4.0, which does not fail closed"},
		{"0.99.99", says("0.99.99"), "version 0.99.99, which does not fail closed"},
		{"silent", ":", "does not tell its version as Envoy does: name another with --envoy"},
		{"garbage", `printf '\377\000\nnot an envoy\n'`, "does not tell its version as Envoy does"},
		{"failing", says("1.40.0") + "; exit 3", "cannot be run: exit status 3: name another with --envoy"},
		{"killed", "kill -9 $$", "cannot be run: signal: killed"},
		{"on stderr", "{ " + says("1.40.0") + "; } >&2", "does not tell its version"},
		{"no version asked", `[ "$*" = --version ] && ` + says("1.40.0"), ""},
	} {
		path := script(t, dir, "envoy-"+tc.name, tc.body)
		v, err := checkVersion(t.Context(), path, versionTimeout)
		switch {
		case tc.want != "":
			wantError(t, tc.name, err, path, tc.want)
			if v != (Version{}) {
				t.Errorf("%s: version %v all the same", tc.name, v)
			}
		case err != nil:
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestCheckVersionOfWhatCannotRun(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("#!/bin/sh\n"+says("1.40.0")), 0o600); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("not a program"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{plain, text, dir, filepath.Join(dir, "nothing")} {
		_, err := checkVersion(t.Context(), path, versionTimeout)
		wantError(t, path, err, path, "cannot be run: ", ": name another with --envoy")
	}
}

// TestCheckVersionHangs has binaries that never end, one of them with a child
// that holds its output open.
func TestCheckVersionHangs(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{
		"alone":        "exec sleep 60",
		"with a child": "sleep 20 & wait",
		"after it":     says("1.40.0") + "; exec sleep 60",
		"a daemon":     "sleep 20 & exit 0",
	} {
		path := script(t, dir, name, body)
		begin := time.Now()
		_, err := checkVersion(t.Context(), path, 200*time.Millisecond)
		wantError(t, name, err, "cannot be run", "name another with --envoy")
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
	}
}

func TestCheckVersionIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := checkVersion(ctx, script(t, t.TempDir(), "envoy", says("1.40.0")), versionTimeout)
	if err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
		t.Errorf("error %v", err)
	}
}
