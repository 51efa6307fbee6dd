package main

import (
	"math"
	"runtime/debug"
)

const (
	// memoryBase is what the sidecar takes beside bodies: the classifiers' tables
	// and, for each exchange, a gRPC stream and a goroutine.
	memoryBase = 256 << 20
	// memoryFactor is what a byte under inspection may take: itself, its text
	// without escapes, and a buffer that is just being made larger.
	memoryFactor = 3
)

// boundMemory has the garbage collector work harder instead of letting the heap
// grow to twice what is in use, as it else does. An operator's GOMEMLIMIT counts.
func (l *limits) boundMemory() {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(memoryBase + memoryFactor*int64(l.maxInspected))
	}
}
