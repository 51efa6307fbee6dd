package model

// Features are byte strings, hashed: "u" and a word; "b", a word, a space and the
// next; "s", a word, a space and the one after the next; "t" and three characters
// of a dense script in a row; "c" and 3, 4 and 5 characters in a row of a word
// between ^ and $.

// FNV-1a, 64 bits (draft-eastlake-fnv).
const (
	fnvOffset = 0xcbf29ce484222325
	fnvPrime  = 0x100000001b3
)

func hashByte(h uint64, b byte) uint64 { return (h ^ uint64(b)) * fnvPrime }

func hashBytes(h uint64, s []byte) uint64 {
	for _, b := range s {
		h = hashByte(h, b)
	}
	return h
}

func bucket(h uint64) uint32 { return uint32(h >> (64 - bucketBits)) }

// words is scratch for one word's features.
type words struct {
	text   []byte // ^word$
	starts []int  // of its characters, and the end
}

// features appends those of a word with the tokens before it, nearest first.
func (w *words) features(dst []uint32, word []byte, t *token, before, beforeThat *token) []uint32 {
	n := len(dst)
	dst = append(dst, bucket(hashBytes(hashByte(fnvOffset, 'u'), word)))
	if !t.dense {
		dst = w.pieces(dst, word)
	}
	t.own = len(dst) - n
	n = len(dst)
	if before != nil {
		dst = append(dst, bucket(hashBytes(before.pairHash, word)))
	}
	t.back = len(dst) - n
	n = len(dst)
	if beforeThat != nil {
		dst = append(dst, bucket(hashBytes(beforeThat.skipHash, word)))
		if t.dense && before.dense && beforeThat.dense {
			dst = append(dst, bucket(hashBytes(before.threeHash, word)))
		}
	}
	t.far = len(dst) - n
	t.pairHash = hashByte(hashBytes(hashByte(fnvOffset, 'b'), word), ' ')
	t.skipHash = hashByte(hashBytes(hashByte(fnvOffset, 's'), word), ' ')
	if t.dense && before != nil && before.dense {
		t.threeHash = hashBytes(before.twoHash, word)
	}
	if t.dense {
		t.twoHash = hashBytes(hashByte(fnvOffset, 't'), word)
	}
	return dst
}

// pieces appends the runs of 3, 4 and 5 characters of ^word$.
func (w *words) pieces(dst []uint32, word []byte) []uint32 {
	w.text = append(append(append(w.text[:0], '^'), word...), '$')
	w.starts = w.starts[:0]
	for i, b := range w.text {
		if b < 0x80 || b >= 0xc0 {
			w.starts = append(w.starts, i)
		}
	}
	w.starts = append(w.starts, len(w.text))
	last := len(w.starts) - 1
	for i := 0; i+3 <= last; i++ {
		h := hashByte(fnvOffset, 'c')
		for k := 1; k <= 5 && i+k <= last; k++ {
			h = hashBytes(h, w.text[w.starts[i+k-1]:w.starts[i+k]])
			if k >= 3 {
				dst = append(dst, bucket(h))
			}
		}
	}
	return dst
}
