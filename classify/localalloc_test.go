//go:build !race

package classify

import (
	"context"
	"testing"

	"github.com/difflabai/confidential-safety/verdict"
)

// The race detector has pools forget what they hold, so this is without it.
func TestLocalAllocatesNothingAChunk(t *testing.T) {
	s := newLocal(t, both...).NewScanner(verdict.PostInferenceGate)
	ctx := context.Background()
	chunk := []byte("all is well here and nothing is wrong; ")
	dst := make([]Match, 0, 16)
	write := func() {
		var err error
		if dst, _, err = s.Write(ctx, chunk, dst[:0]); err != nil {
			t.Fatal(err)
		}
	}
	for range 200 {
		write()
	}
	if n := testing.AllocsPerRun(500, write); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
