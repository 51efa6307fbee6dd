package main

import (
	"context"
	"os/signal"
	"syscall"
)

// untilSignal returns a context that ends with the first SIGINT or SIGTERM; the
// second ends the program at once. It is for commands that serve: the others
// have nothing to finish, and a signal ends them as it ends any program. Nor does
// it end one that serves if nobody reads its log any more: verdicts can then not
// be recorded until somebody does.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
