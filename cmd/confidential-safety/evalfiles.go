package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// source is a file of rows.
type source struct {
	name string // for people
	base string // names the source of rows that name none
	in   io.ReadCloser
	info fs.FileInfo // nil of standard input
}

// openInputs opens all files, so that none turns out to be absent when the
// others have been judged.
func openInputs(names []string, stdin io.Reader) ([]*source, error) {
	var inputs []*source
	for _, name := range names {
		s, err := openInput(name, stdin)
		if err != nil {
			closeInputs(inputs)
			return nil, err
		}
		inputs = append(inputs, s)
	}
	return inputs, nil
}

func openInput(name string, stdin io.Reader) (*source, error) {
	switch name {
	case "":
		return nil, fmt.Errorf("FILE: %w", errEmpty)
	case "-":
		return &source{name: "standard input", base: "stdin", in: io.NopCloser(stdin)}, nil
	}
	refused := func(err error) (*source, error) {
		return nil, fmt.Errorf("%s: %w: name a file of labelled rows, see confidential-safety policy eval --help", name, withoutPath(err))
	}
	file, err := os.Open(name)
	if err != nil {
		return refused(err)
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("is a directory")
	}
	if err != nil {
		_ = file.Close()
		return refused(err)
	}
	base := filepath.Base(name)
	return &source{name: name, base: oneLine(strings.TrimSuffix(base, filepath.Ext(base))), in: file, info: info}, nil
}

func closeInputs(inputs []*source) {
	for _, s := range inputs {
		_ = s.in.Close()
	}
}

// createList opens the file for the list of misjudged rows. One that is there is
// written anew, but for one that is read.
func createList(name string, inputs []*source) (*os.File, error) {
	if name == "" {
		return nil, fmt.Errorf("--misjudged: %w", errEmpty)
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--misjudged %s: %w: name a file that can be written", name, withoutPath(err))
	}
	info, err := file.Stat()
	if err == nil {
		for _, s := range inputs {
			if s.info != nil && os.SameFile(s.info, info) {
				err = errors.New("is also a file of rows: name another")
			}
		}
	}
	if err == nil && info.Mode().IsRegular() {
		err = file.Truncate(0)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("--misjudged %s: %w", name, withoutPath(err))
	}
	return file, nil
}

// withoutPath is an error on a file without its name.
func withoutPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
