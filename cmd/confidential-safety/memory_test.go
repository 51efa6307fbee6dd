package main

import (
	"math"
	"runtime/debug"
	"testing"
)

// The limit is the one that docs/limits.md works out, unless the operator set
// another.
func TestBoundMemory(t *testing.T) {
	before := debug.SetMemoryLimit(math.MaxInt64)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	l := defaultLimits()
	l.boundMemory()
	if got := debug.SetMemoryLimit(-1); got != 1120<<20 {
		t.Errorf("%d MiB, want 1120", got>>20)
	}
	debug.SetMemoryLimit(600 << 20)
	l.boundMemory()
	if got := debug.SetMemoryLimit(-1); got != 600<<20 {
		t.Errorf("%d MiB, want the operator's 600", got>>20)
	}
}
