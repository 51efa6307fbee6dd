package main

import (
	"math"
	"runtime/debug"
)

const (
	// memoryBase is what the sidecar takes by itself, with the classifiers' tables.
	memoryBase = 96 << 20
	// memoryExchange is what an exchange takes beside what is counted of its
	// bodies: a goroutine, a gRPC stream, and a message from Envoy.
	memoryExchange = 256 << 10
	// memoryFactor is what a byte under inspection may take: itself, its text
	// without escapes, and a buffer that is just being made larger.
	memoryFactor = 3
)

// boundMemory has the garbage collector work harder instead of letting the heap
// grow to twice what is in use, as it else does. An operator's GOMEMLIMIT counts.
func (l *limits) boundMemory() {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(memoryBase + memoryExchange*int64(l.maxRequests) + memoryFactor*int64(l.maxInspected))
	}
}
