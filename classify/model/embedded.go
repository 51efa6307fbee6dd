package model

import (
	_ "embed" // the weights
	"encoding/hex"
	"fmt"
	"strings"
)

//go:embed weights.bin
var weightsFile []byte

// weightsSum is the SHA-256 that they are to have, in hex. It is what a reviewer
// sees change.
//
//go:embed weights.sha256
var weightsSum string

// Default returns the weights that are part of the program.
func Default() (*Weights, error) { return fitting(weightsFile, weightsSum) }

// fitting reads weights that are to have a digest.
func fitting(data []byte, sum string) (*Weights, error) {
	w, err := Parse("weights.bin", data)
	if err != nil {
		return nil, err
	}
	if got := hex.EncodeToString(w.Digest[:]); got != strings.TrimSpace(sum) {
		return nil, fmt.Errorf("the weights in this program have the digest %s, not the one they are to have: build it again from a clean checkout", got)
	}
	return w, nil
}
