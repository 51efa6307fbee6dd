package main

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"time"

	"github.com/difflabai/confidential-safety/decode"
	"github.com/difflabai/confidential-safety/extproc"
	"github.com/difflabai/confidential-safety/metrics"
	"github.com/difflabai/confidential-safety/policy"
	"github.com/difflabai/confidential-safety/verdict"
)

// address is where something of ours listens: ip:port, or the path of a Unix
// socket.
type address struct{ network, at string }

func (c *config) parseMetrics(s string) error {
	if s == "" {
		return nil
	}
	if strings.HasPrefix(s, "unix:") {
		c.metrics.network = "unix"
		return socket(&c.metrics.at)(s)
	}
	at, err := netip.ParseAddrPort(s)
	if err != nil {
		return fmt.Errorf("%q is no address: want ip:port, such as 127.0.0.1:9464, or unix:///path", s)
	}
	c.metrics = address{"tcp", at.String()}
	return nil
}

// newMetrics makes the registry for a policy.
func newMetrics(p *policy.Policy, budget *extproc.Budget, limit int) *metrics.Registry {
	var apis []string
	for _, a := range decode.APIs() {
		apis = append(apis, a.Name)
	}
	var categories []verdict.Category
	for i := range p.Categories {
		categories = append(categories, p.Categories[i].Name)
	}
	return metrics.New(metrics.Config{
		APIs: apis, Codes: extproc.Codes(), Busy: extproc.CodeTooManyRequests, Overloaded: extproc.CodeOverloaded,
		Categories: categories,
		Version:    version, Commit: commit, GoVersion: runtime.Version(),
		Inspected: budget.Used, InspectedLimit: int64(limit),
	})
}

// serveMetrics serves them where the settings say, if anywhere.
func (s *sidecar) serveMetrics() error {
	at := s.cfg.metrics
	var l net.Listener
	var err error
	switch at.network {
	case "":
		return nil
	case "unix":
		l, err = listenUnix(at.at)
	default:
		if l, err = net.Listen(at.network, at.at); err != nil {
			err = fmt.Errorf("metrics: %w: choose another address with --metrics-addr", err)
		}
	}
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", http.TimeoutHandler(s.metrics.Handler(), 10*time.Second, ""))
	s.serveHTTP(mux, l)
	s.log.Info("metrics are served", "address", l.Addr().String())
	return nil
}
