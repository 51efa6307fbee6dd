package model

// Features are byte strings, hashed: "u" and a word; "b", a word, a space and the
// next; "s", a word, a space and the one after the next; "t" and three characters
// of a dense script in a row; "c" and 3, 4 and 5 characters in a row of a word
// between ^ and $; "g" and the number of a word's cluster, two bytes, least first;
// "p", that number and the next word's; "q", that number and the one after the
// next's; "w", that number and one of a word behind it, for the next three words
// within reach, where plain words are passed over.

// reach is how many tokens features go back.
const reach = 8

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

func wordHash(word []byte) uint64 { return hashBytes(hashByte(fnvOffset, 'u'), word) }

func hashGroup(h uint64, group uint16) uint64 {
	return hashByte(hashByte(h, byte(group)), byte(group>>8)) //nolint:gosec // both of its bytes
}

// words is scratch for one word's features.
type words struct {
	text   []byte // ^word$
	starts []int  // of its characters, and the end
}

// features appends those of a word with the tokens before it, by how far they
// reach back.
func (w *words) features(dst []uint32, c *clusters, word []byte, t *token, before []token) []uint32 {
	from := len(dst)
	upTo := func(k int) { t.upTo[k] = uint16(len(dst) - from) } //nolint:gosec // a token has few
	h := wordHash(word)
	dst = append(dst, bucket(h))
	if !t.dense {
		dst = w.pieces(dst, word)
		if t.group, t.plain = c.of(h); t.group != 0 {
			dst = append(dst, bucket(hashGroup(hashByte(fnvOffset, 'g'), t.group)))
		}
	}
	upTo(0)
	partners := 0
	for k := 1; k <= reach; k++ {
		if k <= len(before) {
			o := &before[len(before)-k]
			switch k {
			case 1:
				dst = append(dst, bucket(hashBytes(o.pairHash, word)))
				dst = groups(dst, 'p', o, t)
			case 2:
				dst = append(dst, bucket(hashBytes(o.skipHash, word)))
				if last := &before[len(before)-1]; t.dense && last.dense && o.dense {
					dst = append(dst, bucket(hashBytes(last.threeHash, word)))
				}
				dst = groups(dst, 'q', o, t)
			}
			if !t.plain && !o.plain && t.group != 0 && o.group != 0 && partners < 3 {
				partners++
				dst = groups(dst, 'w', o, t)
			}
		}
		upTo(k)
	}
	t.pairHash = hashByte(hashBytes(hashByte(fnvOffset, 'b'), word), ' ')
	t.skipHash = hashByte(hashBytes(hashByte(fnvOffset, 's'), word), ' ')
	if t.dense {
		if n := len(before); n > 0 && before[n-1].dense {
			t.threeHash = hashBytes(before[n-1].twoHash, word)
		}
		t.twoHash = hashBytes(hashByte(fnvOffset, 't'), word)
	}
	return dst
}

// groups appends the feature of two words' clusters, if both have one.
func groups(dst []uint32, kind byte, first, second *token) []uint32 {
	if first.group == 0 || second.group == 0 {
		return dst
	}
	return append(dst, bucket(hashGroup(hashGroup(hashByte(fnvOffset, kind), first.group), second.group)))
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
