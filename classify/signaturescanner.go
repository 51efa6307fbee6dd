package classify

import "context"

// signatureScanner finds phrases and rules in one part: one scanner finds words
// and one sees which of them meet.
type signatureScanner struct {
	words   patternScanner
	rules   ruleScanner
	read    int64 // of the source
	cleared int64
}

func (s *signatureScanner) Write(ctx context.Context, text []byte, dst []Match) ([]Match, int64, error) {
	for {
		n := min(len(text), atOnce)
		var cleared int64
		var err error
		if dst, cleared, err = s.words.Write(ctx, text[:n], dst); err != nil {
			return nil, 0, err
		}
		s.rules.ruler.read(text[:n])
		s.read += int64(n)
		dst = s.rules.take(s.words.hits, cleared, dst)
		s.words.hits = s.words.hits[:0]
		s.cleared = max(s.cleared, s.rules.held(cleared))
		if text = text[n:]; len(text) == 0 {
			return dst, s.cleared, nil
		}
	}
}

func (s *signatureScanner) Settle(ctx context.Context, dst []Match) ([]Match, error) {
	dst, err := s.words.Settle(ctx, dst)
	if err != nil {
		return nil, err
	}
	dst = s.rules.finish(s.words.hits, dst)
	s.words.hits = s.words.hits[:0]
	s.cleared = s.read
	return dst, nil
}

func (s *signatureScanner) Close(ctx context.Context, dst []Match) ([]Match, error) {
	dst, err := s.words.Close(ctx, dst)
	if err != nil {
		return nil, err
	}
	dst = s.rules.finish(s.words.hits, dst)
	s.words.hits = s.words.hits[:0]
	s.rules.reset()
	s.read, s.cleared = 0, 0
	return dst, nil
}
