package extproc

import (
	"errors"

	"github.com/difflabai/confidential-safety/verdict"
)

// watched is an exchange as its watch may touch it.
type watched exchange

func (w *watched) cancel() { w.stop() }

func (w *watched) replies() int {
	if !w.mu.TryLock() {
		return -1
	}
	defer w.mu.Unlock()
	return w.sent
}

func (w *watched) seize() bool {
	if !w.mu.TryLock() {
		return false
	}
	defer w.mu.Unlock()
	w.seized = true
	return true
}

// end answers in the exchange's stead.
func (w *watched) end(reason error) (err error) {
	if errors.Is(reason, errStuck) {
		return w.abandon()
	}
	x := (*exchange)(w)
	err = errPanic // unless own returns
	defer func() {
		if err != nil {
			// Process waits for Envoy, so Envoy must not wait for Process. In
			// a response that has started this resets the stream.
			_ = x.refuse(refuseUnchecked, nil)
		}
	}()
	return x.own(func() error { return x.end(reason) })
}

// abandon answers for an exchange that is still at work, on what does not come
// to an end, and whose state is not to be looked at but where it stands. If it
// is the verdict that is being recorded there is no other.
func (w *watched) abandon() error {
	x := (*exchange)(w)
	var v *verdict.External
	d := verdict.Decision{Stage: x.stage(), Action: verdict.Block, Category: verdict.Unavailable}
	if w.recorder.CompareAndSwap(unclaimed, seizer) && w.api != nil {
		cfg := &w.srv.cfg
		e := verdict.NewExternal(cfg.NewID(), d, cfg.PolicyVersion, cfg.Now())
		v = &e
	}
	headers := append(refuseUnchecked.headers(), append(w.ownID(), setHeader(requestID, w.id))...)
	err := w.stream.Send(immediately(refuseUnchecked.status, headers, w.failure(refuseUnchecked, v)))
	w.srv.cfg.Observer.Noticed(EventDeadline)
	w.srv.cfg.Log.Error("exchange made no progress and was blocked", "request_id", w.id)
	w.instead = v
	if v != nil && !x.exempts(d) {
		// What it waits for may be the record, which others wait for then.
		err = errors.Join(err, x.record(*v))
	}
	if err != nil {
		w.srv.cfg.Log.Error("verdict of an ended exchange was not recorded", "request_id", w.id)
	}
	return errPanic
}
