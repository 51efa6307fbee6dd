//go:build race

package dataplane

// raceEnabled says that the binary is built with the race detector, too.
const raceEnabled = true
