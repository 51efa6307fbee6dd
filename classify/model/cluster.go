package model

import (
	_ "embed" // the clusters
	"fmt"
	"strings"
)

// clustersText is groups of English words that mean nearly the same or are used
// alike, a group a line. They let the model understand a word that its training
// has shown in few places or in none by what it has learned of the others.
//
//go:embed clusters.txt
var clustersText string

// plainWords hold others together. In pairs of words they are passed over.
const plainWords = `a about all also an and any are as at be been being but by can could did do does don't for from had has have he her here his
	how i i'd i'm i've if in into is it it's its just me more most my no not of on only or our out over own please same she should so some such t than
	that the their them then there these they this those to too up us very was we were what when where which who why will with would you your`

// clusters find the group of a word. It is a hash table with open addressing
// that holds the hashes of words, not the words: of two with the same 64 bits,
// one would be taken for the other.
type clusters struct {
	mask   uint64
	hashes []uint64
	groups []uint16 // 0: no word
	plains []bool
}

// newClusters reads groups of words.
func newClusters(text string) (*clusters, error) {
	size := 1
	for size < 2*len(strings.Fields(text)) {
		size *= 2
	}
	c := &clusters{mask: uint64(size) - 1, hashes: make([]uint64, size), groups: make([]uint16, size), plains: make([]bool, size)}
	group := uint16(0)
	for line := range strings.Lines(text) {
		if group++; group == 0 {
			return nil, fmt.Errorf("more than %d groups of words", 1<<16-1)
		}
		for word := range strings.FieldsSeq(line) {
			h := wordHash([]byte(word))
			i := h & c.mask
			for ; c.groups[i] != 0; i = (i + 1) & c.mask {
				if c.hashes[i] == h {
					return nil, fmt.Errorf("line %d: %q is in a group already", group, word)
				}
			}
			c.hashes[i], c.groups[i] = h, group
		}
	}
	for word := range strings.FieldsSeq(plainWords) {
		h := wordHash([]byte(word))
		for i := h & c.mask; c.groups[i] != 0; i = (i + 1) & c.mask {
			c.plains[i] = c.plains[i] || c.hashes[i] == h
		}
	}
	return c, nil
}

// of returns the group of the word with a hash, 0 if it is in none, and whether
// the word is plain.
func (c *clusters) of(h uint64) (uint16, bool) {
	for i := h & c.mask; ; i = (i + 1) & c.mask {
		if c.groups[i] == 0 || c.hashes[i] == h {
			return c.groups[i], c.plains[i]
		}
	}
}
