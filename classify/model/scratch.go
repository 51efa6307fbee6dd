package model

// Scratch is what scoring a window needs for the moment. Readers share them, by
// a pool; none is used by two at once.
type Scratch struct {
	words
	word  []byte
	slots [slots]slot
	stamp uint32
	list  []Feature
}

// slots is more than twice the features of a window of the large size: of 512
// characters, with at most three pieces each, and the words' own.
const slots = 1 << 12

// most bounds the features of a window, whatever a text does.
const most = slots * 3 / 4

type slot struct {
	bucket, stamp, at uint32
}

// clear forgets the last window.
func (s *Scratch) clear() {
	s.list = s.list[:0]
	s.stamp++
	if s.stamp == 0 {
		s.slots = [slots]slot{}
		s.stamp = 1
	}
}

// count counts a feature.
func (s *Scratch) count(b uint32) {
	for i := b; ; i++ {
		switch p := &s.slots[i%slots]; {
		case p.stamp != s.stamp:
			if len(s.list) == most {
				return
			}
			*p = slot{b, s.stamp, uint32(len(s.list))} //nolint:gosec // at most most
			s.list = append(s.list, Feature{b, 1})
			return
		case p.bucket == b:
			if f := &s.list[p.at]; f.Count < maxCount {
				f.Count++
			}
			return
		}
	}
}
