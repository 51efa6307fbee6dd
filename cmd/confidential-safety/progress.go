package main

import (
	"fmt"
	"io"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// progress tells who waits at a terminal how far a command is.
type progress struct {
	terminal io.Writer // nil if there is none
	size     int64     // of all that there is to do, in bytes; 0 if it is not known
	next     time.Time // when to show it
	rows     int
	done     int64 // in bytes
	shown    bool
}

// How long a command takes before it says so, and how often it does.
const (
	patience = 2 * time.Second
	refresh  = 200 * time.Millisecond
)

func newProgress(stderr io.Writer, inputs []*source) *progress {
	p := &progress{next: time.Now().Add(patience)}
	if isTerminal(stderr) {
		p.terminal = stderr
	}
	for _, s := range inputs {
		if s.info == nil || !s.info.Mode().IsRegular() {
			p.size = 0
			break
		}
		p.size += s.info.Size()
	}
	return p
}

// add counts rows of so many bytes.
func (p *progress) add(rows, bytes int) {
	p.rows += rows
	p.done += int64(bytes)
	now := time.Now()
	if p.terminal == nil || now.Before(p.next) {
		return
	}
	p.next, p.shown = now.Add(refresh), true
	text := fmt.Sprintf("\r%d rows", p.rows)
	if p.size > 0 {
		text += fmt.Sprintf(", %d%%", min(100, 100*p.done/p.size))
	}
	_, _ = io.WriteString(p.terminal, text)
}

// end wipes it away.
func (p *progress) end() {
	if p.shown {
		_, _ = io.WriteString(p.terminal, "\r\x1b[K")
	}
}

// isTerminal reports whether w writes to one.
func isTerminal(w io.Writer) bool {
	file, ok := w.(syscall.Conn)
	if !ok {
		return false
	}
	c, err := file.SyscallConn()
	if err != nil {
		return false
	}
	terminal := false
	err = c.Control(func(fd uintptr) {
		_, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		terminal = err == nil
	})
	return err == nil && terminal
}
