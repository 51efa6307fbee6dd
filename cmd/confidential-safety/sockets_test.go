package main

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// socketPath is one that is short enough.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "cs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "d", "x.sock")
}

func TestListenUnix(t *testing.T) {
	path := socketPath(t)
	l, err := listenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	// A live one is left alone.
	if _, err := listenUnix(path); err == nil || !strings.Contains(err.Error(), path+": another process listens there: choose another path") {
		t.Errorf("%v", err)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatalf("it listens no more: %v", err)
	}
	_ = c.Close()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
}

func TestListenUnixStale(t *testing.T) {
	path := socketPath(t)
	for range 3 {
		l, err := listenUnix(path)
		if err != nil {
			t.Fatal(err)
		}
		l.(*net.UnixListener).SetUnlinkOnClose(false) // as if killed
		_ = l.Close()
		if _, err := os.Stat(path); err != nil {
			t.Fatal(err)
		}
	}
}

// Only a socket is ever removed.
func TestListenUnixNoSocket(t *testing.T) {
	path := socketPath(t)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(filepath.Dir(path), "target")
	for name, put := range map[string]func() error{
		"file":      func() error { return os.WriteFile(path, []byte("mine"), 0o600) },
		"directory": func() error { return os.Mkdir(path, 0o700) },
		"link": func() error {
			if err := os.WriteFile(target, []byte("mine"), 0o600); err != nil {
				return err
			}
			return os.Symlink(target, path)
		},
	} {
		if err := put(); err != nil {
			t.Fatal(err)
		}
		if _, err := listenUnix(path); err == nil || !strings.Contains(err.Error(), "a file that is no socket stands there") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_ = os.Remove(path)
	}
	if got, err := os.ReadFile(target); err != nil || string(got) != "mine" {
		t.Errorf("%q, %v", got, err)
	}
	// Nor is a directory made of a file.
	fileAt(t, path)
	if _, err := listenUnix(filepath.Join(path, "x")); err == nil || !strings.Contains(err.Error(), "choose another path") {
		t.Errorf("%v", err)
	}
}
