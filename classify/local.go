package classify

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/difflabai/confidential-safety/classify/model"
	"github.com/difflabai/confidential-safety/verdict"
)

// Local is the classifier by the local model. It scores windows of the text and
// names the category that a harmful text of that kind would be of.
type Local struct {
	id         string
	weights    *model.Weights
	tables     *model.Tables
	categories []verdict.Category // by head; none where it is not asked for
	floor      float64
	scratch    sync.Pool
}

// localFloor is the confidence below which nothing is reported unless a lower one
// counts. It keeps the gate from being asked for each window.
const localFloor = 0.5

// NewLocal returns the classifier for the categories, which must be among those
// that the weights know. Its findings carry the ID. The threshold is the lowest
// confidence that counts in any of the categories.
func NewLocal(id string, w *model.Weights, categories []verdict.Category, threshold float64) (*Local, error) {
	tables, err := model.NewTables()
	if err != nil {
		return nil, err
	}
	l := &Local{
		id: id, weights: w, tables: tables, categories: make([]verdict.Category, len(w.Categories)),
		floor: min(localFloor, threshold),
	}
	l.scratch.New = func() any { return new(model.Scratch) }
	for _, c := range categories {
		i := slices.Index(w.Categories, string(c))
		if i < 0 {
			return nil, fmt.Errorf("the local model does not know the category %s: use it in %v", c, w.Categories)
		}
		l.categories[i] = c
	}
	return l, nil
}

// ID is the one of its findings.
func (l *Local) ID() string { return l.id }

// NewScanner implements Classifier.
func (l *Local) NewScanner(verdict.Stage) Scanner {
	r := model.NewReader(l.weights, l.tables)
	// What rounding brings up to the floor counts, too.
	r.Quiet(l.weights.Calibration.Score(max(l.floor-1e-4, 1e-9)))
	return &localScanner{l: l, r: r}
}

// localScanner reads one part.
type localScanner struct {
	l       *Local
	f       folder
	r       *model.Reader
	windows []model.Window // scratch
	// In source bytes: no window that is to come reaches back before held, but
	// for large ones, which count only from there; cleared may be further on
	// after a settling.
	held, cleared int64
}

func (s *localScanner) Write(ctx context.Context, text []byte, dst []Match) ([]Match, int64, error) {
	for len(text) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		n := min(len(text), atOnce)
		s.f.write(text[:n])
		dst = s.read(dst, false)
		text = text[n:]
		if oldest := s.r.Oldest(); oldest > 0 {
			s.held, _ = s.f.source(oldest, oldest)
			s.cleared = max(s.cleared, s.held)
			if oldest > s.f.base+forgetAt {
				s.f.forget(oldest)
			}
		}
	}
	return dst, s.cleared, ctx.Err()
}

// Settle judges the text as if it ended here, and then goes on as if it had not
// been asked.
func (s *localScanner) Settle(ctx context.Context, dst []Match) ([]Match, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.use(func(scratch *model.Scratch) {
		s.windows = s.r.Peek(scratch, s.f.out, s.f.base, s.windows[:0])
	})
	dst = s.judge(dst)
	s.cleared = s.f.src + int64(s.f.carried)
	return dst, nil
}

func (s *localScanner) Close(ctx context.Context, dst []Match) ([]Match, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.f.close()
	dst = s.read(dst, true)
	s.f.reset()
	s.r.Reset()
	s.held, s.cleared = 0, 0
	return dst, nil
}

// read scores the windows that have ended.
func (s *localScanner) read(dst []Match, final bool) []Match {
	s.use(func(scratch *model.Scratch) {
		s.windows = s.r.Read(scratch, s.f.out, s.f.base, final, s.windows[:0])
	})
	return s.judge(dst)
}

func (s *localScanner) use(f func(*model.Scratch)) {
	scratch := s.l.scratch.Get().(*model.Scratch) //nolint:forcetypeassert // the pool makes nothing else
	f(scratch)
	s.l.scratch.Put(scratch)
}

// judge reports the windows whose confidence is worth a decision.
func (s *localScanner) judge(dst []Match) []Match {
	for i := range s.windows {
		w := &s.windows[i]
		if w.Head < 0 || s.l.categories[w.Head] == "" {
			continue
		}
		p := s.l.weights.Calibration.Probability(w.Score, w.Number)
		p = math.Round(1e4*p) / 1e4 // what is behind means nothing
		if p < s.l.floor {
			continue
		}
		from, to := s.f.source(max(w.Start, s.f.base), w.End)
		dst = append(dst, Match{
			Finding: verdict.Finding{Category: s.l.categories[w.Head], Confidence: p, ClassifierID: s.l.id},
			Start:   max(from, s.held), End: to,
		})
	}
	return dst
}
