package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/difflabai/confidential-safety/measure"
	"github.com/difflabai/confidential-safety/verdict"
)

// batch is some lines of a file, which one goroutine judges.
type batch struct {
	file, base string
	first      int // number of the first line
	lines      [][]byte
	size       int  // in bytes
	last       bool // of the file

	done chan struct{} // closed when what follows is there
	rows []judgedRow
	err  error // why there are no more, with the place
}

// judgedRow is a row without its text.
type judgedRow struct {
	line     int
	label    measure.Label
	decision verdict.Decision
}

// judgeAll reads the rows of all files, judges them on all processors and hands
// them to take, in their order. It holds a few batches at a time.
func (e *evaluation) judgeAll(ctx context.Context, inputs []*source, take func(*batch) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // what still reads or judges ends
	workers := runtime.GOMAXPROCS(0)
	todo, ordered := make(chan *batch), make(chan *batch, 2*workers)
	go func() {
		defer close(todo)
		defer close(ordered)
		readAll(inputs, func(b *batch) bool {
			b.done = make(chan struct{})
			for _, to := range []chan<- *batch{ordered, todo} {
				select {
				case to <- b:
				case <-ctx.Done():
					return false
				}
			}
			return true
		})
	}()
	for range workers {
		go func() {
			for b := range todo {
				e.judgeBatch(ctx, b)
			}
		}()
	}
	for b := range ordered {
		select {
		case <-b.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := take(b); err != nil {
			return cmp.Or(ctx.Err(), err)
		}
	}
	return ctx.Err()
}

// readAll sends the lines of all files until send says no more or one cannot be
// read, and closes the files.
func readAll(inputs []*source, send func(*batch) bool) {
	defer closeInputs(inputs)
	for _, s := range inputs {
		lines := bufio.NewReaderSize(s.in, 1<<16)
		for number := 1; ; {
			b := readBatch(lines, s, number)
			number += len(b.lines)
			// Once sent it is another's.
			last, failed := b.last, b.err != nil
			if !send(b) || failed {
				return
			}
			if last {
				break
			}
		}
	}
}

// readBatch reads the next line and those that have come with it.
func readBatch(lines *bufio.Reader, s *source, number int) *batch {
	b := &batch{file: s.name, base: s.base, first: number}
	for len(b.lines) == 0 || lineWaits(lines) {
		line, err := readLine(lines)
		switch {
		case errors.Is(err, io.EOF):
			b.last = true
			return b
		case err != nil:
			b.err = fmt.Errorf("%s:%d: %w", s.name, number+len(b.lines), withoutPath(err))
			return b
		}
		b.lines = append(b.lines, line)
		b.size += len(line) + 1
	}
	return b
}

// judgeBatch judges the lines up to the first that is wrong.
func (e *evaluation) judgeBatch(ctx context.Context, b *batch) {
	defer close(b.done)
	for i, line := range b.lines {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		r := judgedRow{line: b.first + i}
		label, text, err := measure.Parse(line, b.base)
		if err == nil {
			r.label = label
			r.decision, _, err = e.inspector.Text(ctx, label.Stage, []byte(text))
		}
		if err != nil {
			b.err = fmt.Errorf("%s:%d: %w", b.file, r.line, err)
			break
		}
		b.rows = append(b.rows, r)
	}
	b.lines = nil
}
