package main

import (
	"context"
	"time"

	"github.com/difflabai/confidential-safety/envoy"
)

// drain lets running exchanges finish, within the time set, and ends those that
// do not with a block. New requests are still served meanwhile, each on a
// connection that closes behind it, so that none fails while a load balancer
// learns from the health that there should be no more.
func (s *sidecar) drain(admin *envoy.Admin) {
	s.health.draining.Store(true)
	s.log.Info("draining", "timeout", s.cfg.drainTimeout.String())
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.drainTimeout)
	defer cancel()
	if admin != nil {
		if err := admin.Drain(ctx); err != nil {
			s.log.Warn("envoy was not told to drain", "error", err)
		}
	}
	s.processor.Drain(ctx)
	if admin != nil {
		flush(admin)
	}
	s.log.Info("drained")
}

// flushTimeout bounds the wait for clients to read the end of what was sent.
const flushTimeout = 2 * time.Second

// flush waits until Envoy has passed on all that the processor has let go.
func flush(admin *envoy.Admin) {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	for {
		if n, err := admin.Active(ctx); err != nil || n == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}
