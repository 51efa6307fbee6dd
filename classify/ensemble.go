package classify

import (
	"context"
	"errors"

	"github.com/difflabai/confidential-safety/verdict"
)

// Ensemble joins classifiers: its matches are all of theirs, and a text is
// cleared when it is by each. An error of one is an error of all.
func Ensemble(members ...Classifier) Classifier {
	if len(members) == 1 {
		return members[0]
	}
	return ensemble(members)
}

type ensemble []Classifier

func (e ensemble) NewScanner(stage verdict.Stage) Scanner {
	s := make(ensembleScanner, len(e))
	for i, c := range e {
		s[i] = c.NewScanner(stage)
	}
	return s
}

type ensembleScanner []Scanner

var errNoClassifier = errors.New("no classifier")

func (s ensembleScanner) Write(ctx context.Context, text []byte, dst []Match) ([]Match, int64, error) {
	if len(s) == 0 {
		return nil, 0, errNoClassifier
	}
	least := int64(-1)
	for _, m := range s {
		var cleared int64
		var err error
		if dst, cleared, err = m.Write(ctx, text, dst); err != nil {
			return nil, 0, err
		}
		if least < 0 || cleared < least {
			least = cleared
		}
	}
	return dst, least, nil
}

func (s ensembleScanner) Settle(ctx context.Context, dst []Match) ([]Match, error) {
	return s.each(ctx, dst, Scanner.Settle)
}

func (s ensembleScanner) Close(ctx context.Context, dst []Match) ([]Match, error) {
	return s.each(ctx, dst, Scanner.Close)
}

func (s ensembleScanner) each(ctx context.Context, dst []Match, do func(Scanner, context.Context, []Match) ([]Match, error)) ([]Match, error) {
	if len(s) == 0 {
		return nil, errNoClassifier
	}
	for _, m := range s {
		var err error
		if dst, err = do(m, ctx, dst); err != nil {
			return nil, err
		}
	}
	return dst, nil
}
