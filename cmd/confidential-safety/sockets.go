package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// listenUnix listens on a Unix socket that only this user may connect to. One
// that a sidecar left behind which is no more is replaced.
func listenUnix(path string) (net.Listener, error) {
	fail := func(err error) (net.Listener, error) {
		return nil, fmt.Errorf("socket %s: %w: choose another path", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fail(err)
	}
	private := net.ListenConfig{Control: ownerOnly}
	l, err := private.Listen(context.Background(), "unix", path)
	if errors.Is(err, syscall.EADDRINUSE) {
		if err := removeStale(path); err != nil {
			return fail(err)
		}
		l, err = private.Listen(context.Background(), "unix", path)
	}
	if err != nil {
		return fail(err)
	}
	return l, nil
}

// ownerOnly sets the mode of a socket before it is bound: the file is made with
// it (Linux's unix_bind), so there is no moment at which others may connect.
func ownerOnly(_, _ string, c syscall.RawConn) error {
	var err error
	if ctlErr := c.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), 0o600) }); ctlErr != nil {
		return ctlErr
	}
	return err
}

// removeStale removes a socket at which nobody listens any more, and nothing
// else that may stand there.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // gone meanwhile
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("a file that is no socket stands there")
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	switch {
	case err == nil:
		_ = c.Close()
		return errors.New("another process listens there")
	case errors.Is(err, syscall.ECONNREFUSED):
		return os.Remove(path)
	default:
		return err // it may be alive and busy
	}
}
