package main

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// errUnread is a log that is full because nobody reads it.
var errUnread = errors.New("nobody reads standard error")

// readTimeout is how long whoever reads the log may leave it full.
const readTimeout = 2 * time.Second

// patient writes lines to a file, for as long as it is read. A write to a full
// pipe waits without end, and what waits for the write with it: each exchange, the
// health, and the end of the program.
type patient struct {
	file conn

	mu   sync.Mutex
	full bool // the last write was given up, so the next does not wait
	cut  bool // the last line in the file has no end
}

// conn is a file, as far as it can be waited for.
type conn interface {
	io.Writer
	syscall.Conn
}

// unblocked returns a writer whose writes end. All who write to one file should
// share it. Only files can be waited for.
func unblocked(w io.Writer) io.Writer {
	if f, ok := w.(conn); ok {
		return &patient{file: f}
	}
	return w
}

// inherited is what a child gets that is to write where w does.
func inherited(w io.Writer) io.Writer {
	if p, ok := w.(*patient); ok {
		return p.file
	}
	return w
}

// Write implements io.Writer. A log line is shorter than what a pipe that is not
// full takes at once.
func (p *patient) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := readTimeout
	if p.full {
		wait = 0
	}
	err := awaitRoom(p.file, wait)
	if p.full = err != nil; err != nil {
		return 0, err
	}
	before := 0
	if p.cut {
		line = append([]byte{'\n'}, line...)
		before = 1
	}
	n, err := p.file.Write(line)
	if n > 0 {
		p.cut = n < len(line)
	}
	return max(0, n-before), err
}

// awaitRoom waits until a write to the file would not block.
func awaitRoom(f syscall.Conn, wait time.Duration) error {
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
