package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// errUnread is a log that is full because nobody reads it.
var errUnread = errors.New("nobody reads standard error")

// readTimeout is how long whoever reads the log may leave it full.
const readTimeout = 2 * time.Second

// patient writes to a file for as long as it is read. A write to a full pipe
// waits without end, and what waits for the write with it: each exchange, the
// health, and the end of the program.
type patient struct {
	file *os.File
	full atomic.Bool // the last write was given up, so the next does not wait
}

// unblocked returns a writer whose writes end. Only files can be waited for.
func unblocked(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok {
		return &patient{file: f}
	}
	return w
}

// Write implements io.Writer. A log line is shorter than what a pipe that is not
// full takes at once.
func (p *patient) Write(b []byte) (int, error) {
	wait := readTimeout
	if p.full.Load() {
		wait = 0
	}
	err := awaitRoom(p.file, wait)
	if p.full.Store(err != nil); err != nil {
		return 0, err
	}
	return p.file.Write(b)
}

// awaitRoom waits until a write to the file would not block.
func awaitRoom(f *os.File, wait time.Duration) error {
	c, err := f.SyscallConn() // Fd would make the file a blocking one
	if err != nil {
		return err
	}
	n := 0
	end := time.Now().Add(wait)
	ctlErr := c.Control(func(fd uintptr) {
		for {
			left := max(0, time.Until(end))
			n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(left.Milliseconds())) //nolint:gosec // a descriptor fits
			if !errors.Is(err, unix.EINTR) {
				return
			}
		}
	})
	switch {
	case ctlErr != nil:
		return ctlErr
	case err != nil:
		return fmt.Errorf("standard error: %w", err)
	case n == 0:
		return errUnread
	}
	return nil
}
