package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/difflabai/confidential-safety/envoy"
	"github.com/difflabai/confidential-safety/extproc"
	"github.com/difflabai/confidential-safety/extproc/inspect"
)

// limits are the settings that bound what a request, a response, and all of them
// together may take. docs/limits.md has what happens beyond each.
type limits struct {
	requestTimeout, upstreamTimeout, responseTimeout time.Duration
	streamIdleTimeout, drainTimeout                  time.Duration

	maxBody, maxDepth, maxEvent, maxHeld int
	maxHeaderKB, maxHeaders              int
	maxMessage                           int
	maxConnections, maxConnectionStreams int
	maxRequests                          int
	maxInspected, envoyMemory            int
}

// inspected are those of package inspect, which draws on the budget.
func (l *limits) inspected(budget *extproc.Budget) inspect.Limits {
	in := inspect.DefaultLimits()
	in.Decode.Body, in.Decode.Event, in.Decode.Depth = l.maxBody, l.maxEvent, l.maxDepth
	in.Held, in.Stream = l.maxHeld, l.maxBody
	in.Requests, in.Responses = budget.Requests(), budget.Responses()
	return in
}

// bound sets Envoy's part of the limits. Their ranges fit.
func (l *limits) bound(e *envoy.Settings) {
	e.Connections, e.ConnectionStreams = uint32(l.maxConnections), uint32(l.maxConnectionStreams) //nolint:gosec // see steps
	e.HeaderKB, e.Headers = uint32(l.maxHeaderKB), uint32(l.maxHeaders)                           //nolint:gosec // see steps
	e.Requests, e.Memory = uint32(l.maxRequests), uint64(l.envoyMemory)                           //nolint:gosec // see steps
	e.StreamIdle, e.StreamMax = l.streamIdleTimeout, l.requestTimeout+l.responseTimeout+streamGrace
}

// streamGrace is how much later Envoy ends an exchange than the processor, which
// says why.
const streamGrace = time.Minute

// minInspected is how many of the largest bodies there must be room for. One that
// consists of short strings takes several times its length.
const minInspected = 4

// steps are how the settings are read.
func (l *limits) steps() []step {
	return []step{
		{"drain_timeout", duration(&l.drainTimeout)},
		{"request_timeout", duration(&l.requestTimeout)},
		{"upstream_timeout", duration(&l.upstreamTimeout)},
		{"response_timeout", duration(&l.responseTimeout)},
		{"stream_idle_timeout", l.parseStreamIdle},
		{"max_body", count(&l.maxBody, 1<<10, 1<<30, "bytes")}, // below no request fits
		{"max_depth", count(&l.maxDepth, 8, 512, "levels")},
		{"max_event", count(&l.maxEvent, 1<<10, 1<<30, "bytes")},
		{"max_held", l.parseMaxHeld},
		{"max_header_kb", count(&l.maxHeaderKB, 4, 8192, "KiB")}, // Envoy's upper bound
		{"max_headers", count(&l.maxHeaders, 16, 10_000, "headers")},
		{"max_message", count(&l.maxMessage, 1<<20, 1<<30, "bytes")},
		{"max_connections", count(&l.maxConnections, 1, 1_000_000, "connections")},
		{"max_connection_streams", count(&l.maxConnectionStreams, 1, 10_000, "streams")},
		{"max_requests", count(&l.maxRequests, 1, 100_000, "requests")},
		{"max_inspected", l.parseMaxInspected},
		{"envoy_memory", count(&l.envoyMemory, 32<<20, 1<<40, "bytes")},
	}
}

// parseStreamIdle wants more than the processor's own deadlines: its refusals
// are recorded, and say what was wrong.
func (l *limits) parseStreamIdle(s string) error {
	if err := duration(&l.streamIdleTimeout)(s); err != nil {
		return err
	}
	for _, shorter := range [...]struct {
		flag string
		d    time.Duration
	}{{"--upstream-timeout", l.upstreamTimeout}, {"--request-timeout", l.requestTimeout}} {
		if l.streamIdleTimeout <= shorter.d {
			return fmt.Errorf("%s is not above %s, %s: Envoy would cut what still may wait: raise it or lower the other",
				l.streamIdleTimeout, shorter.flag, shorter.d)
		}
	}
	return nil
}

func (l *limits) parseMaxHeld(s string) error {
	if err := count(&l.maxHeld, 1<<10, 1<<30, "bytes")(s); err != nil {
		return err
	}
	if l.maxHeld < l.maxEvent {
		return fmt.Errorf("%d is less than --max-event, %d: raise it or lower the other", l.maxHeld, l.maxEvent)
	}
	return nil
}

func (l *limits) parseMaxInspected(s string) error {
	if err := count(&l.maxInspected, 1<<20, 1<<40, "bytes")(s); err != nil {
		return err
	}
	for _, part := range [...]struct {
		flag string
		n    int
	}{{"--max-body", l.maxBody}, {"--max-held", l.maxHeld}} {
		if l.maxInspected < minInspected*part.n {
			return fmt.Errorf("%d is less than %d times %s, %d: raise it or lower the other", l.maxInspected, minInspected, part.flag, part.n)
		}
	}
	return nil
}

// count reads a whole number within bounds. of is what it counts.
func count(n *int, least, most int, of string) func(string) error {
	return func(s string) (err error) {
		if *n, err = strconv.Atoi(s); err != nil || *n < least || *n > most {
			return fmt.Errorf("want a number of %s from %d to %d", of, least, most)
		}
		return nil
	}
}
