package extproc

import (
	"context"
	"fmt"

	"github.com/difflabai/confidential-safety/verdict"
)

// Who may record an exchange's verdict.
const (
	unclaimed int32 = iota
	owner
	seizer
)

func (x *exchange) stage() verdict.Stage {
	if x.response != nil {
		return verdict.PostInferenceGate
	}
	return verdict.PreInferenceGate
}

// strongest is the decision on the request or that on the response, whichever
// does more; the response's if they do the same.
func (x *exchange) strongest() verdict.Decision {
	if x.response == nil || x.decision.Action > x.response.Decision().Action {
		return x.decision
	}
	return x.response.Decision()
}

// conclude records the exchange's only verdict.
func (x *exchange) conclude(d verdict.Decision) error {
	if x.verdict != nil {
		return nil
	}
	if !x.recorder.CompareAndSwap(unclaimed, owner) && x.recorder.Load() != owner {
		return errTaken
	}
	cfg := &x.srv.cfg
	v := verdict.NewExternal(cfg.NewID(), d, cfg.PolicyVersion, cfg.Now())
	if x.exempts(d) {
		x.verdict = &v
		return nil
	}
	err := x.record(v)
	if err != nil {
		d = verdict.Decision{Stage: d.Stage, Action: verdict.Block, Category: verdict.Unavailable}
		v = verdict.NewExternal(v.VerdictID, d, cfg.PolicyVersion, cfg.Now())
		err = fmt.Errorf("recording a verdict: %w", err)
	}
	x.verdict = &v
	return err
}

// exempts reports whether such a decision goes without a record.
func (x *exchange) exempts(d verdict.Decision) bool {
	x.exempt = x.api.Unrecorded && (d.Action != verdict.Block || d.Category == verdict.Unavailable)
	return x.exempt
}

// record records a verdict, whether the client stays or not. Until that succeeds
// no request goes on, whichever it is of.
func (x *exchange) record(v verdict.External) error {
	defer func() { x.srv.unrecorded.Store(!x.recorded) }() // it may panic
	err := x.srv.cfg.Recorder.Record(context.WithoutCancel(x.ctx), x.id, x.api.Name, v)
	x.recorded = err == nil
	return err
}
