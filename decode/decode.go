// Package decode turns the bytes of a request or a response into pieces of
// text, and edits on those pieces back into bytes.
//
// A body is read as a row of [Event]s: a JSON body is one event, a stream of
// server-sent events is many. Each event holds its own bytes and the text in
// them, each piece with the place that it belongs to and the bytes that it
// came from. Whoever reads the text may then have any part of it replaced;
// every other byte stays as it was.
//
// No string is left out: what an API's description does not know is read as
// text of no particular place. What cannot be read as text at all (an image,
// a compressed body, JSON with duplicate keys) is an [Error], never a silence.
//
// The package knows JSON, SSE and the APIs, and nothing of risk. Never log
// anything of this package but an Error: all else holds users' words.
package decode

import (
	"errors"
	"fmt"
)

// Limits bounds what a reader takes. Body and Event are in bytes.
type Limits struct {
	Body   int    // of a JSON body as a whole
	Event  int    // of one server-sent event
	Depth  int    // of nested JSON values
	Places int    // of messages, choices or tools in one body
	Accept Opaque // what is let through unread; none by default
}

// stringsPerPlace bounds the strings of one event, as a multiple of Places. An
// answer with the 20 likeliest tokens at each position has the most.
const stringsPerPlace = 8

// DefaultLimits are generous for today's models: a million tokens of English
// are about 4 MiB, and the last event of a Responses stream repeats all of it.
func DefaultLimits() Limits {
	return Limits{Body: 8 << 20, Event: 8 << 20, Depth: 64, Places: 16384}
}

// Fault says in which way a body could not be read. It is a closed set, fit
// for logs and labels.
type Fault string

// The ways in which a body can fail to be read.
const (
	Malformed   Fault = "malformed"    // not JSON, or not a stream of events
	Duplicate   Fault = "duplicate"    // an object names a member twice
	Ambiguous   Fault = "ambiguous"    // an object names a known member in other letters, upper-case or lower-case
	InvalidUTF8 Fault = "invalid_utf8" // not UTF-8
	TooDeep     Fault = "too_deep"     // nested deeper than Limits.Depth
	TooLarge    Fault = "too_large"    // over Limits.Body, Event or Places
	Unreadable  Fault = "unreadable"   // holds what no text classifier can read
	Elsewhere   Fault = "elsewhere"    // refers to words that are not in it
)

// Error is the only error of this package. It says where, by a byte offset,
// and never what: it holds nothing of the body.
type Error struct {
	Fault  Fault
	Offset int // in the body or, for a stream, in the event
}

func (e *Error) Error() string {
	return fmt.Sprintf("body is %s at byte %d", e.Fault, e.Offset)
}

// FaultOf returns the fault that err stands for. An error of another kind is
// Malformed, so that whatever goes wrong in reading ends in a refusal.
func FaultOf(err error) Fault {
	var e *Error
	if errors.As(err, &e) {
		return e.Fault
	}
	return Malformed
}

// Reader cuts a body into events as its bytes arrive. After an error, or after
// End, it must not be used again. It is not safe for concurrent use.
type Reader interface {
	// Feed takes the next bytes, which it does not keep, and appends the
	// events that they complete to dst. Beside an error it returns those that
	// came before the fault, so that they count however the bytes are split.
	Feed(p []byte, dst []*Event) ([]*Event, error)
	// End says that the body is complete and appends what remains of it, beside
	// an error what came before the fault.
	End(dst []*Event) ([]*Event, error)
	// Free takes back an event that is no longer needed. Its bytes, pieces
	// and texts are used again for later ones.
	Free(*Event)
	// Passed tells the reader that the client has been sent the event, as it
	// was (edited false) or with edits, so that Ending fits what it has seen.
	Passed(e *Event, edited bool)
	// Ending appends the bytes that end a started response early in the form
	// that the API's clients turn into their usual error. Nil for a body that can
	// only be sent whole.
	Ending(dst []byte, f Failure) []byte
}
