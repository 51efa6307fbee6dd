// Package inspect is the only place that knows the order of things: bytes go
// to the decoder, text to the classifiers, findings to the gate, edits back to
// the decoder, and bytes out again.
//
// A [Direction] is one body on its way, of a request or of a response. What
// may go on is the result of each call: bytes, or a block, never both. Bytes
// that are not returned have not been cleared, and nothing else may send them.
package inspect

import (
	"context"
	"fmt"

	"github.com/difflabai/confidential-safety/classify"
	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

// Limits bounds what one direction may hold, in bytes, and what all may.
type Limits struct {
	Decode decode.Limits
	// Held bounds the part of a stream that waits for its verdict, Stream the
	// whole of a stream that is held to its end (streaming mode full).
	Held, Stream int
	// Requests and Responses bound what all of them together hold. Nil is no
	// bound.
	Requests, Responses Budget
}

// DefaultLimits returns the limits that the sidecar runs with by default.
func DefaultLimits() Limits {
	return Limits{Decode: decode.DefaultLimits(), Held: 8 << 20, Stream: 8 << 20}
}

// Fault says why a direction could not be inspected. It is a closed set, fit
// for logs and labels: the faults of package decode, and these.
type Fault string

// The faults that are not of the body's form.
const (
	Classifier Fault = "classifier" // a classifier failed
	HeldTooBig Fault = "held"       // more is held back than Limits allows
	Overloaded Fault = "overloaded" // all directions together hold what they may
)

// Error is the only error of a direction. It holds nothing of the content.
type Error struct{ Fault Fault }

func (e *Error) Error() string { return fmt.Sprintf("not inspected: %s", string(e.Fault)) }

// Inspector makes directions. It is immutable and safe for concurrent use.
type Inspector struct {
	policy     *policy.Policy
	classifier classify.Classifier
	limits     Limits
}

// New returns an inspector that judges by the policy what the classifier finds.
func New(p *policy.Policy, c classify.Classifier, l Limits) *Inspector {
	l.Decode.Accept = unread(p)
	return &Inspector{policy: p, classifier: c, limits: l}
}

// Request returns the direction of a request. It releases all or nothing, at
// its end.
func (in *Inspector) Request(a *decode.API) *Direction {
	d := in.direction(verdict.PreInferenceGate, a.ReadRequest(in.limits.Decode), true)
	d.json = true
	return d
}

// Response returns the direction of a response that is one JSON body. It
// releases all or nothing, at its end.
func (in *Inspector) Response(a *decode.API) *Direction {
	d := in.direction(verdict.PostInferenceGate, a.ReadResponse(in.limits.Decode), true)
	d.json = true
	return d
}

// Stream returns the direction of a response that is a stream of events. It
// releases what is cleared as it comes or, if the policy says so, all at the
// end.
func (in *Inspector) Stream(a *decode.API) *Direction {
	whole := in.policy.Streaming == policy.Full
	d := in.direction(verdict.PostInferenceGate, a.ReadStream(in.limits.Decode), whole)
	d.limit = in.limits.Held
	if whole {
		d.limit = in.limits.Stream
	}
	return d
}

func (in *Inspector) direction(s verdict.Stage, r decode.Reader, whole bool) *Direction {
	budget := in.limits.Responses
	if s == verdict.PreInferenceGate {
		budget = in.limits.Requests
	}
	return &Direction{
		in:     in,
		reader: r,
		load:   load{budget: budget},
		whole:  whole,
		limit:  in.limits.Decode.Body,
		stage:  s,
		parts:  make(map[decode.Place]*part),
		decision: verdict.Decision{
			Stage: s, Action: verdict.Allow, Category: verdict.None,
		},
	}
}

// Text judges one text by itself, as the message of a request or the content
// of a response would be.
func (in *Inspector) Text(ctx context.Context, s verdict.Stage, text []byte) (verdict.Decision, []classify.Match, error) {
	scanner := in.classifier.NewScanner(s)
	matches, _, err := scanner.Write(ctx, text, nil)
	if err == nil {
		matches, err = scanner.Close(ctx, matches)
	}
	if err != nil {
		return verdict.Decision{}, nil, &Error{Classifier}
	}
	findings := make([]verdict.Finding, len(matches))
	for i, m := range matches {
		findings[i] = m.Finding
	}
	return in.policy.Gate(s, findings), matches, nil
}
