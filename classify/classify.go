// Package classify judges text: it turns the words of a part into findings.
//
// A [Classifier] makes one [Scanner] for each part. A scanner takes the part's
// text as it comes, reports what it finds, and says up to where the text is
// cleared: what lies before can no longer become part of a finding, so it may
// be sent on. Where a scanner cannot tell, it must not clear.
//
// The package knows words, and nothing of HTTP, JSON or a policy's actions.
// Never log its arguments; of its results, only the Finding of a [Match].
package classify

import (
	"context"
	"log/slog"

	"github.com/difflabai/confidential-safety/verdict"
)

// Match is a finding with its place: offsets in bytes of the part's text, from
// the part's start. It stays with the packages that read.
type Match struct {
	verdict.Finding
	Start, End int64
	View       View // in which it was found
}

// LogValue keeps places in users' texts out of logs.
func (Match) LogValue() slog.Value { return slog.StringValue("[match]") }

// Classifier judges parts. It is safe for concurrent use; its scanners are not.
type Classifier interface {
	NewScanner(stage verdict.Stage) Scanner
}

// Scanner reads one part after another. After an error it must not be used
// again.
type Scanner interface {
	// Write takes the next text of the part, which it does not keep and which
	// may begin or end within a character. It appends to dst the matches that
	// have become certain, and returns the cleared position, which never
	// falls: no match that is reported later starts before it, unless the part
	// was settled.
	Write(ctx context.Context, text []byte, dst []Match) ([]Match, int64, error)
	// Settle says that the part may have ended here, since words elsewhere have
	// followed it and should not wait. It appends the matches that stand if it
	// has, and all of the text so far then counts as cleared. If the part goes
	// on after all, what had begun still counts: a match may then start before
	// the position of the settling.
	Settle(ctx context.Context, dst []Match) ([]Match, error)
	// Close says that the part is complete, so that all of it is cleared, and
	// appends the last matches. The scanner is then ready for another part,
	// whose positions start at 0.
	Close(ctx context.Context, dst []Match) ([]Match, error)
}
