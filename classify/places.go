package classify

import (
	"slices"
	"sort"
)

// index finds the last segment that starts at or before a position.
func (r *reading) index(pos int64) int {
	i := sort.Search(len(r.segs), func(i int) bool { return r.segs[i].norm > pos })
	return max(i-1, 0)
}

// source is the range of the source that a range of the stretch stands for. Where
// that runs backwards, its end may come first.
func (r *reading) source(start, end int64) (from, to int64) {
	first := true
	for i := r.index(start); i < len(r.segs) && r.segs[i].norm < end; i++ {
		s := r.segs[i]
		a, b := s.src, s.src+int64(s.width)
		if s.width == 0 {
			last := end
			if i+1 < len(r.segs) {
				last = min(last, r.segs[i+1].norm)
			}
			a, b = s.src+max(start-s.norm, 0), s.src+last-s.norm
		}
		if first {
			from, to, first = a, b, false
			continue
		}
		from, to = min(from, a), max(to, b)
	}
	return from, to
}

// forget drops what no match reaches back to.
func (r *reading) forget(pos int64) {
	if i := r.index(pos); i > 0 && i > len(r.segs)/2 {
		r.segs = r.segs[:copy(r.segs, r.segs[i:])]
	}
	if len(r.ells) > 0 && r.ells[0] < pos {
		r.ells = slices.DeleteFunc(r.ells, func(at int64) bool { return at < pos })
	}
}
