package classify

// heads is a set of the first few bytes of all beginnings. It may say yes to
// others, and never no to one of them. It is small enough to stay in a
// processor's first cache, where the automaton, of about 4 KiB a node, is not:
// most text is told by it alone that no phrase begins there.
type heads struct {
	size int // bytes that are looked at, 1 to maxHead
	// useful: so few are set that it pays to ask first.
	useful bool
	bits   [1 << (headBits - 6)]uint64
}

const (
	maxHead  = 3
	headBits = 16 // of a hash: a table of 8 KiB
)

func newHeads(prefixes []prefix) (h heads) {
	h.size = maxHead
	for _, p := range prefixes {
		h.size = min(h.size, len(p.text))
	}
	set := 0
	for _, p := range prefixes {
		k := h.hash(p.text)
		if h.bits[k/64]&(1<<(k%64)) == 0 {
			set++
		}
		h.bits[k/64] |= 1 << (k % 64)
	}
	h.useful = h.size == maxHead && set <= 1<<headBits/16
	return h
}

// has reports whether text, which has at least size bytes, may start as a
// beginning does.
func (h *heads) has(text []byte) bool {
	k := h.hash(text)
	return h.bits[k/64]&(1<<(k%64)) != 0
}

func (h *heads) hash(text []byte) uint32 {
	n := uint32(0)
	for _, c := range text[:h.size] {
		n = n<<8 | uint32(c)
	}
	return n * 0x9e3779b1 >> (32 - headBits) // Knuth's multiplicative hash
}
