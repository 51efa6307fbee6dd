package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// What is here reads kinds of values that several settings have.

func into(s *string) func(string) error {
	return func(value string) error { *s = value; return nil }
}

// What a time may be. Envoy counts in milliseconds and takes 0 for no limit; the
// longest is a year, so that sums of them are times, too.
const shortest, longest = time.Millisecond, 365 * 24 * time.Hour

// duration reads a time with its unit.
func duration(d *time.Duration) func(string) error {
	return func(s string) (err error) {
		if *d, err = time.ParseDuration(s); err != nil || *d < shortest || *d > longest {
			return fmt.Errorf("%q is no duration from 1ms to 8760h: want one with a unit, such as 30s", s)
		}
		return nil
	}
}

// digest reads a SHA-256 in hex, or nothing.
func digest(d *[]byte) func(string) error {
	return func(s string) error {
		b, err := hex.DecodeString(s)
		if err != nil || len(b) != 0 && len(b) != 32 {
			return errors.New("want a SHA-256: 64 hex digits")
		}
		if len(b) > 0 {
			*d = b
		}
		return nil
	}
}

// maxSocketPath is how long a Unix socket's path may be, in bytes: Linux has 108
// for it, some of which Envoy needs.
const maxSocketPath = 100

// socket reads the address of a Unix socket.
func socket(path *string) func(string) error {
	return func(s string) error {
		rest, ok := strings.CutPrefix(s, "unix://")
		if !ok || !filepath.IsAbs(rest) || filepath.Clean(rest) != rest {
			return fmt.Errorf("address %q: want a Unix socket, such as unix:///run/confidential-safety/x.sock", s)
		}
		if len(rest) > maxSocketPath {
			return fmt.Errorf("a path of %d bytes: a Unix socket's holds %d, choose a shorter one", len(rest), maxSocketPath)
		}
		*path = rest
		return nil
	}
}
