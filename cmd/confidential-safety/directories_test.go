package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fileAt makes a file where a directory is wanted: root, too, cannot write into
// it.
func fileAt(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDataDirLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	closeDir, err := openDataDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o027 != 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := openDataDir(dir); err == nil || !strings.Contains(err.Error(), dir+" is in use by another sidecar: stop it") {
		t.Errorf("second: %v", err)
	}
	closeDir()
	closeDir, err = openDataDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	closeDir()
}

func TestDataDirIsAFile(t *testing.T) {
	for _, below := range []string{"", "below"} {
		file := filepath.Join(t.TempDir(), "file")
		fileAt(t, file)
		if _, err := openDataDir(filepath.Join(file, below)); err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "--data-dir") {
			t.Errorf("%v", err)
		}
	}
}

func TestWriteCA(t *testing.T) {
	dir := t.TempDir()
	for _, pem := range []string{"one", "two, which is longer", "three"} {
		path, err := writeCA(dir, []byte(pem))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != pem || path != filepath.Join(dir, "tls", "ca.pem") {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	if got := names(t, dir); got != "tls tls/ca.pem" {
		t.Errorf("%s", got)
	}
}

// What stood there before stays when the new one cannot be written, and nothing
// half done is left.
func TestWriteCAFails(t *testing.T) {
	t.Run("directory is a file", func(t *testing.T) {
		dir := t.TempDir()
		fileAt(t, filepath.Join(dir, "tls"))
		if _, err := writeCA(dir, []byte("pem")); err == nil || !strings.Contains(err.Error(), "--data-dir") {
			t.Errorf("%v", err)
		}
		if got := names(t, dir); got != "tls" {
			t.Errorf("%s", got)
		}
	})
	t.Run("target is a directory", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "tls", "ca.pem", "x"), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := writeCA(dir, []byte("pem")); err == nil {
			t.Error("no error")
		}
		if got := names(t, dir); got != "tls tls/ca.pem tls/ca.pem/x" {
			t.Errorf("%s", got)
		}
	})
}

// names lists what is below a directory.
func names(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, _ fs.DirEntry, err error) error {
		if name != "." {
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

// The path of the runtime directory leaves room for the names of sockets.
func TestRuntimeDir(t *testing.T) {
	for _, base := range []string{"", t.TempDir(), "/" + strings.Repeat("x", 60)} {
		t.Setenv("XDG_RUNTIME_DIR", base)
		dir, err := runtimeDir()
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != 0o700 || len(dir) > maxSocketPath-20 {
			t.Errorf("%s: %v, %v", dir, info.Mode(), err)
		}
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	}
}
