package classify

import (
	"bytes"
	"context"

	"github.com/difflabai/confidential-safety/verdict"
)

// Undone returns what a match in a text is read as in its view. It is for telling an
// author what was found.
func Undone(ctx context.Context, text []byte, m Match) (string, error) {
	if m.View == Plain {
		return string(text[m.Start:m.End]), nil
	}
	s := Views(ensemble{}).(*viewed).newScanner(verdict.PreInferenceGate)
	s.plain = &recorder{}
	for i := range s.readings {
		r := &s.readings[i]
		r.make = func() Scanner { return &recorder{r: r, m: m} }
	}
	_, _, err := s.Write(ctx, text, nil)
	if err == nil {
		_, err = s.Close(ctx, nil)
	}
	if err != nil {
		return "", err
	}
	for i := range s.readings {
		if rec, ok := s.readings[i].scanner.(*recorder); ok && s.readings[i].name == m.View {
			return string(rec.words), nil
		}
	}
	return "", nil
}

// recorder is a scanner that finds nothing, and keeps what a view makes of the place
// of a match.
type recorder struct {
	r     *reading
	m     Match
	text  []byte
	words []byte
}

func (s *recorder) Write(ctx context.Context, text []byte, dst []Match) ([]Match, int64, error) {
	if s.r == nil { // the plain view
		return dst, 0, ctx.Err()
	}
	s.text = append(s.text, text...)
	return dst, 0, ctx.Err()
}

func (s *recorder) Settle(ctx context.Context, dst []Match) ([]Match, error) { return dst, ctx.Err() }

func (s *recorder) Close(ctx context.Context, dst []Match) ([]Match, error) {
	if s.r != nil && len(s.words) == 0 {
		s.words = s.at()
	}
	s.text = s.text[:0]
	return dst, ctx.Err()
}

// at returns the text of a stretch that stands for the place of the match, nil if
// nothing was undone there.
func (s *recorder) at() (words []byte) {
	undone := false
	for i, seg := range s.r.segs {
		end := s.r.length
		if i+1 < len(s.r.segs) {
			end = s.r.segs[i+1].norm
		}
		from, to := seg.norm, end
		if seg.width == 0 {
			from = max(from, seg.norm+s.m.Start-seg.src)
			to = min(to, seg.norm+s.m.End-seg.src)
		} else if seg.src < s.m.Start || seg.src+int64(seg.width) > s.m.End {
			continue
		}
		if from = max(from, s.r.first); from < to {
			undone = undone || seg.width > 0
			words = append(words, s.text[from-s.r.first:to-s.r.first]...)
		}
	}
	if !undone {
		return nil
	}
	return words
}

// HasWords reports whether a phrase is in a text, to the pattern classifier.
func HasWords(text, phrase string) bool {
	return bytes.Contains(fold(text), bytes.TrimSpace(fold(phrase)))
}
