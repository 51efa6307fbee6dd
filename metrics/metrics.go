// Package metrics counts, for Prometheus, what becomes of exchanges.
//
// Every label's values are a closed set that is given at construction or
// written here; whatever is not in it is counted as "other". No label may ever
// take a value from a request, a response or a client: metrics leave the TEE.
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/difflabai/confidential-safety/verdict"
)

const namespace = "confidential_safety"

// Config is what a registry is made from.
type Config struct {
	APIs       []string           // names of the inspected APIs
	Codes      []string           // of refusals
	Busy       string             // the code of those that are refused because too many run
	Overloaded string             // the code of those for whose body there is no room
	Categories []verdict.Category // the policy's
	// Version, Commit and GoVersion are the build's.
	Version, Commit, GoVersion string
	// Inspected is how many bytes are under inspection, and InspectedLimit how
	// many may be.
	Inspected      func() int64
	InspectedLimit int64
}

// Registry holds the metrics. It observes exchanges, see its methods, and is
// safe for concurrent use.
type Registry struct {
	registry         *prometheus.Registry
	apis, codes      set
	categories       set
	busy, overloaded string

	inFlight          prometheus.Gauge
	exchanges         *prometheus.CounterVec
	refusals          *prometheus.CounterVec
	verdicts          *prometheus.CounterVec
	unrecorded        prometheus.Counter
	panics            prometheus.Counter
	takenOver         *prometheus.CounterVec
	admission         *prometheus.CounterVec
	received, relayed [2]prometheus.Counter
}

// New returns a registry of its own, with nothing counted.
func New(c Config) *Registry {
	r := &Registry{
		registry: prometheus.NewRegistry(),
		apis:     newSet(c.APIs), codes: newSet(c.Codes), categories: newSet(c.Categories, verdict.None, verdict.Unavailable),
		busy: c.Busy, overloaded: c.Overloaded,
	}
	r.inFlight = gauge(r, "exchanges_in_flight", "Exchanges that Envoy has begun and not ended, inspected or not.")
	r.exchanges = counters(r, "exchanges_total", "Exchanges that ended, by API and by the action of their verdict; none where there is no verdict.", "api", "action")
	r.refusals = counters(r, "refusals_total", "Exchanges that were answered with an error object of the processor's own.", "api", "code")
	r.verdicts = counters(r, "verdicts_total", "Verdicts that were recorded.", "stage", "category", "action")
	r.unrecorded = counter(r, "verdicts_unrecorded_total", "Verdicts that could not be recorded; each of their exchanges was blocked.")
	r.panics = counter(r, "panics_total", "Panics that were caught; each of their exchanges was blocked.")
	r.takenOver = counters(r, "exchanges_ended_early_total", "Exchanges that the processor ended because a deadline passed or because it stops.", "reason")
	r.admission = counters(r, "admission_refusals_total", "Exchanges that were refused because too many run or because there is no room for their bodies.", "reason")
	received := counters(r, "body_received_bytes_total", "Bytes of bodies that came from Envoy.", "direction")
	relayed := counters(r, "body_released_bytes_total", "Bytes of bodies that went on after inspection.", "direction")
	for i, direction := range [...]string{"request", "response"} {
		r.received[i], r.relayed[i] = received.WithLabelValues(direction), relayed.WithLabelValues(direction)
	}
	r.gaugeFunc("inspected_bytes", "Memory that bodies under inspection take, in bytes.", func() float64 { return float64(c.Inspected()) })
	r.gaugeFunc("inspected_limit_bytes", "Memory that bodies under inspection may take, in bytes.", func() float64 { return float64(c.InspectedLimit) })
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "1, with what the program was built from.",
	}, []string{"version", "commit", "go_version"})
	build.WithLabelValues(c.Version, c.Commit, c.GoVersion).Set(1)
	r.registry.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r.fill(c)
	return r
}

// fill makes the series whose absence would be taken for a missing metric.
func (r *Registry) fill(c Config) {
	for _, api := range c.APIs {
		for a := verdict.Allow; a <= verdict.Block; a++ {
			r.exchanges.WithLabelValues(api, a.String())
		}
	}
	for _, reason := range [...]string{deadline, shutdown} {
		r.takenOver.WithLabelValues(reason)
	}
	for _, reason := range [...]string{byRequests, byMemory} {
		r.admission.WithLabelValues(reason)
	}
}

// Handler serves the metrics in Prometheus' formats.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

func gauge(r *Registry, name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
	r.registry.MustRegister(g)
	return g
}

func (r *Registry) gaugeFunc(name, help string, f func() float64) {
	r.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, f))
}

func counter(r *Registry, name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
	r.registry.MustRegister(c)
	return c
}

func counters(r *Registry, name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	r.registry.MustRegister(c)
	return c
}
