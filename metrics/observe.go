package metrics

import "github.com/difflabai/confidential-safety/verdict"

// Values of labels, beside those that New was given.
const (
	none  = "none"  // there is nothing that could be named
	other = "other" // it is not in the closed set

	deadline   = "deadline"
	shutdown   = "shutdown"
	panicked   = "panic"      // no label; a metric of its own
	missed     = "unrecorded" // the same
	byRequests = "requests"
	byMemory   = "memory"
)

// set is a closed set of a label's values.
type set map[string]bool

func newSet[T ~string](values []T, more ...T) set {
	s := make(set, len(values)+len(more))
	for _, list := range [...][]T{values, more} {
		for _, v := range list {
			s[string(v)] = true
		}
	}
	return s
}

// name is the value that v is counted as.
func (s set) name(v string) string {
	switch {
	case s[v]:
		return v
	case v == "":
		return none
	default:
		return other
	}
}

// Began counts an exchange that Envoy began.
func (r *Registry) Began() { r.inFlight.Inc() }

// Ended counts an exchange that is over. api is "" for one that was not
// inspected, code for one that was not refused, and v nil for one without a
// verdict. recorded is whether that is on record.
func (r *Registry) Ended(api, code string, v *verdict.External, recorded bool) {
	r.inFlight.Dec()
	name, action := r.apis.name(api), none
	if v != nil {
		action = actionName(v.Action)
	}
	r.exchanges.WithLabelValues(name, action).Inc()
	if code != "" {
		r.refusals.WithLabelValues(name, r.codes.name(code)).Inc()
	}
	switch code {
	case "":
	case r.busy:
		r.admission.WithLabelValues(byRequests).Inc()
	case r.overloaded:
		r.admission.WithLabelValues(byMemory).Inc()
	}
	if v != nil && recorded {
		r.verdicts.WithLabelValues(stageName(v.Stage), r.categories.name(string(v.RiskCategory)), action).Inc()
	}
}

// Noticed counts an event: panic, deadline, shutdown or unrecorded.
func (r *Registry) Noticed(event string) {
	switch event {
	case panicked:
		r.panics.Inc()
	case missed:
		r.unrecorded.Inc()
	case deadline, shutdown:
		r.takenOver.WithLabelValues(event).Inc()
	default:
		r.takenOver.WithLabelValues(other).Inc()
	}
}

// Moved counts bytes of a body that came and that went on.
func (r *Registry) Moved(response bool, received, released int) {
	i := 0
	if response {
		i = 1
	}
	if received > 0 {
		r.received[i].Add(float64(received))
	}
	if released > 0 {
		r.relayed[i].Add(float64(released))
	}
}

func actionName(a verdict.Action) string {
	if a > verdict.Block {
		return other
	}
	return a.String()
}

func stageName(s verdict.Stage) string {
	switch s {
	case verdict.PreInferenceGate, verdict.PostInferenceGate, verdict.ActionValidate, verdict.TrajectoryAnalyze:
		return string(s)
	default:
		return other
	}
}
