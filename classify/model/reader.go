package model

import (
	"bytes"
	"math"
)

// Reader reads one text after another and scores its windows. One goroutine
// owns it.
type Reader struct {
	w *Weights
	*tables
	scratch *Scratch // nil between calls

	tokens []token // those that windows still need
	feats  []uint32
	first  int64 // number of feats[0] in all of the text's
	done   int64 // normalised text that has been cut into tokens
	width  int64 // of it
	scored [scales]int64
	next   [scales]int64
	total  int // windows so far
	keep   func(Window, []Feature)
	quiet  float64 // score below which nobody asks for a category
}

// A scale is a size of windows, in characters.
const (
	smallScale, largeScale, scales = 0, 1, 2

	smallWindow = 160
	smallStep   = 64
	largeWindow = 512
	largeStep   = 256
)

var (
	windowOf = [scales]int64{smallWindow, largeWindow}
	stepOf   = [scales]int64{smallStep, largeStep}
)

// Window is a stretch of the normalised text with its score.
type Window struct {
	Start, End int64
	Score      float64
	// Number of the window in the text, from 1.
	Number int
	// Head names the category that a harmful text of this kind would be of: an
	// index of the weights' Categories, or -1 where the reader is quiet.
	Head int
}

// Feature is a bucket and how often its features occur in a window.
type Feature struct {
	Bucket uint32
	Count  uint32
}

// NewReader returns a reader that scores by the weights. They may be nil: then
// windows are only cut, for [Reader.Visit].
func NewReader(w *Weights, t *Tables) *Reader {
	r := &Reader{w: w, tables: &t.tables, quiet: math.Inf(-1)}
	r.Reset()
	return r
}

// Quiet says that nobody asks for the category of windows with a lower score,
// whose Head is then -1: to find it takes longer than to score.
func (r *Reader) Quiet(score float64) { r.quiet = score }

// Reset makes the reader ready for another text.
func (r *Reader) Reset() {
	*r = Reader{w: r.w, tables: r.tables, keep: r.keep, quiet: r.quiet, tokens: r.tokens[:0], feats: r.feats[:0], next: stepOf}
}

// Visit has a function called with each window and what is in it, which it must
// not keep.
func (r *Reader) Visit(f func(Window, []Feature)) { r.keep = f }

// Read takes the normalised text, in whole characters, of which at is the position of the first byte,
// and goes on where the last call stopped. It appends the windows that have
// ended. The text is complete if it is final.
func (r *Reader) Read(s *Scratch, text []byte, at int64, final bool, dst []Window) []Window {
	return r.read(s, text, at, final, true, dst)
}

// Peek appends the windows that would end if the text did, and leaves the reader
// as it was.
func (r *Reader) Peek(s *Scratch, text []byte, at int64, dst []Window) []Window {
	was := *r
	dst = r.read(s, text, at, true, false, dst)
	was.tokens, was.feats = r.tokens[:len(was.tokens)], r.feats[:len(was.feats)]
	*r = was
	return dst
}

func (r *Reader) read(s *Scratch, text []byte, at int64, final, forget bool, dst []Window) []Window {
	r.scratch = s
	text = text[r.done-at:]
	for {
		start, end, width, isDense := scan(text, final)
		r.done += int64(start)
		if end == start {
			break
		}
		r.add(text[start:end], width, isDense)
		r.done += int64(end - start)
		text = text[end:]
		for k := range scales {
			if r.width >= r.next[k] {
				dst = r.score(k, dst)
			}
		}
		if forget && len(r.feats) > keptFeatures {
			r.forget()
		}
	}
	if final {
		// A text that is no longer than a small window is one window.
		if r.width > r.scored[smallScale] {
			dst = r.score(smallScale, dst)
		}
		if r.width > smallWindow && r.width > r.scored[largeScale] {
			dst = r.score(largeScale, dst)
		}
	}
	r.scratch = nil
	return dst
}

// add makes a token of a word.
func (r *Reader) add(word []byte, width int, isDense bool) {
	t := token{start: r.done, end: r.done + int64(len(word)), dense: isDense, from: r.first + int64(len(r.feats))}
	if !isDense && len(r.tokens) > 0 {
		r.width++ // what stands between words
	}
	t.at = r.width
	r.width += int64(width)
	t.to = r.width
	if bytes.Contains(word, curly) {
		r.scratch.word = append(r.scratch.word[:0], word...)
		word = bytes.ReplaceAll(r.scratch.word, curly, straight) // rare
	}
	r.feats = r.scratch.features(r.feats, r.clusters, word, &t, r.tokens)
	r.tokens = append(r.tokens, t)
}

var curly, straight = []byte("\u2019"), []byte("'")

// score scores the window of a scale that ends here.
func (r *Reader) score(k int, dst []Window) []Window {
	r.scored[k] = r.width
	r.next[k] = r.width + stepOf[k]
	i := r.from(k, r.width)
	r.total++
	w := Window{Start: r.tokens[i].start, End: r.tokens[len(r.tokens)-1].end, Number: r.total}
	features := r.gather(r.tokens[i:])
	if r.keep != nil {
		r.keep(w, features)
	}
	if r.w != nil {
		w.Score = r.w.score(r.tables, features)
		w.Head = -1
		if len(r.w.Heads) > 0 && w.Score >= r.quiet {
			w.Head = r.w.head(r.tables, features)
		}
		dst = append(dst, w)
	}
	return dst
}

// gather counts the features of the window's tokens. Those that reach back
// before the window are not of it.
func (r *Reader) gather(tokens []token) []Feature {
	s := r.scratch
	s.clear()
	for i := range tokens {
		t := &tokens[i]
		from := t.from - r.first
		for _, b := range r.feats[from : from+int64(t.upTo[min(i, reach)])] {
			s.count(b)
		}
	}
	return s.list
}

// keptFeatures is about twice those of a large window.
const keptFeatures = 6 * largeWindow

// forget drops the tokens that no window will reach again.
func (r *Reader) forget() {
	i := r.from(largeScale, r.width)
	n := r.tokens[i].from - r.first
	r.feats = r.feats[:copy(r.feats, r.feats[n:])]
	r.first += n
	r.tokens = r.tokens[:copy(r.tokens, r.tokens[i:])]
}

// from is the first token of a window of a scale that ends at a width. It is
// never the end of the tokens, if there are any.
func (r *Reader) from(scale int, width int64) int {
	i := max(len(r.tokens)-1, 0)
	for i > 0 && r.tokens[i-1].at >= width-windowOf[scale] {
		i--
	}
	return i
}

// Oldest is the position in the normalised text before which no small window
// that is to come reaches back.
func (r *Reader) Oldest() int64 {
	if len(r.tokens) == 0 {
		return r.done
	}
	return r.tokens[r.from(smallScale, r.width)].start
}
