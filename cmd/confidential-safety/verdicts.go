package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/difflabai/confidential-safety/envoy"
	"github.com/difflabai/confidential-safety/verdict"
)

// newLogHandler writes log lines of the given format and, at least, level.
func newLogHandler(w io.Writer, format envoy.LogFormat, level slog.Level) slog.Handler {
	w = unblocked(w)
	options := &slog.HandlerOptions{Level: level}
	if format == envoy.LogJSON {
		return slog.NewJSONHandler(w, options)
	}
	return slog.NewTextHandler(w, options)
}

// verdictLog records verdicts as log lines, whatever the log level is. A line
// that cannot be written is an error, which blocks the exchange.
type verdictLog struct {
	lines   slog.Handler
	failing atomic.Bool // the last line could not be written
}

func newVerdictLog(w io.Writer, format envoy.LogFormat) *verdictLog {
	return &verdictLog{lines: newLogHandler(w, format, slog.LevelInfo)}
}

// writable reports whether verdicts can be recorded. If the last one could not
// be, it tries again, so that health recovers without a request.
func (l *verdictLog) writable(ctx context.Context) bool {
	return !l.failing.Load() ||
		l.write(ctx, slog.NewRecord(time.Now(), slog.LevelWarn, "verdicts could not be recorded for a while and no request was served", 0)) == nil
}

func (l *verdictLog) write(ctx context.Context, line slog.Record) error {
	err := l.lines.Handle(ctx, line)
	if l.failing.Store(err != nil); err != nil {
		return fmt.Errorf("verdict log: %w", err)
	}
	return nil
}

// Record implements extproc.Recorder.
func (l *verdictLog) Record(ctx context.Context, requestID, api string, v verdict.External) error {
	at, err := v.Time()
	if err != nil {
		return fmt.Errorf("verdict log: %w", err)
	}
	line := slog.NewRecord(at, slog.LevelInfo, "verdict", 0)
	line.AddAttrs(
		slog.String("request_id", requestID),
		slog.String("api", api),
		slog.String("verdict_id", v.VerdictID),
		slog.String("stage", string(v.Stage)),
		slog.String("risk_category", string(v.RiskCategory)),
		slog.String("action", v.Action.String()),
		slog.String("policy_version", v.PolicyVersion),
		slog.String("timestamp", v.Timestamp),
	)
	return l.write(ctx, line)
}
