package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// openDataDir makes the data directory and locks it: two sidecars in one would
// overwrite each other's files. close lets go of it.
func openDataDir(dir string) (closeDir func(), err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, dataDirError(err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, dataDirError(err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("data directory %s is in use by another sidecar: stop it or name another with --data-dir", dir)
		}
		return nil, fmt.Errorf("data directory %s: lock: %w", dir, err)
	}
	return func() { _ = lock.Close() }, nil
}

func dataDirError(err error) error {
	return fmt.Errorf("data directory: %w: name one that can be written to with --data-dir", err)
}

// writeCA writes the CA's certificate into the data directory, whole or not at
// all, and returns its path.
func writeCA(dataDir string, pem []byte) (string, error) {
	dir := filepath.Join(dataDir, "tls")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", dataDirError(err)
	}
	path := filepath.Join(dir, "ca.pem")
	tmp := path + ".new"
	err := os.WriteFile(tmp, pem, 0o644) //nolint:gosec // a certificate is public
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		_ = os.Remove(tmp)
		return "", dataDirError(err)
	}
	return path, nil
}

// runtimeDir makes a private directory for sockets. Its path is short: that of
// a Unix socket holds about 100 bytes.
func runtimeDir() (string, error) {
	base := os.Getenv("XDG_RUNTIME_DIR")
	if len(base) > 40 || base == "" {
		base = "/tmp"
	}
	dir, err := os.MkdirTemp(base, "confidential-safety-") // mode 0700
	if err != nil {
		return "", fmt.Errorf("runtime directory: %w", err)
	}
	return dir, nil
}

// noCoreDumps makes sure that no dump of this process or of its children holds
// what was in memory: none is written to a file, and one that is piped to a
// program, which the limit does not stop, is left without memory (core(5)).
func noCoreDumps() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("core dumps: %w", err)
	}
	if err := os.WriteFile("/proc/self/coredump_filter", []byte("0"), 0); err != nil {
		return fmt.Errorf("core dumps: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("core dumps: %w", err)
	}
	return nil
}
