package queuetest

import (
	"slices"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// This file is what the cases wait for, and what they say if it does not come.

// entered waits until the media's Start of op was called.
func (r *fixture) entered(op *operation.Operation) {
	r.t.Helper()
	ctx, cancel := r.patience(2)
	defer cancel()
	if _, err := task(ctx, &r.media.entered, op); err != nil {
		r.neverStarted(op, "called")
	}
}

// started waits until the media's Start of op has returned and returns how.
func (r *fixture) started(op *operation.Operation) start {
	r.t.Helper()
	ctx, cancel := r.patience(2)
	defer cancel()
	s, err := r.media.returned(ctx, op)
	if err != nil {
		r.neverStarted(op, "returned")
	}
	return s
}

// hasReturned reports whether the media's Start of op has.
func (r *fixture) hasReturned(op *operation.Operation) bool {
	return slices.ContainsFunc(r.media.starts.all(), func(s start) bool {
		return s.task.Operation == op
	})
}

func (r *fixture) neverStarted(op *operation.Operation, what string) {
	r.t.Helper()
	r.broke("Start returns, and every end is reported, so that the next operation is started",
		"no Start of %s %s in %v", describe(op), what, 2*r.h.Timeout)
	r.t.FailNow()
}

// begun waits until op, which lasts, is begun, and reports if it is not.
func (r *fixture) begun(op *operation.Operation) bool {
	r.t.Helper()
	switch s := r.started(op); {
	case s.err != nil:
		r.broke("Start begins what Lasts of the harness makes, and returns nil", "the error %v", s.err)
		return false
	case !s.live:
		r.broke("what Lasts of the harness makes goes on until it is stopped",
			"it had ended when Start returned: %s", describe(op))
		return false
	}
	return true
}

// ended waits for the end of op.
func (r *fixture) ended(op *operation.Operation) queue.Event {
	r.t.Helper()
	ctx, cancel := r.patience(1)
	defer cancel()
	e, err := r.seen.Wait(ctx, queue.Ended, op)
	if err != nil {
		r.broke("the end of every operation that Start has begun is reported by Task.End or Task.Fail",
			"no end of %s in %v", describe(op), r.h.Timeout)
		r.t.FailNow()
	}
	return e
}

// released waits until the media has answered the preemption of op, or was abandoned. An
// operation that came to its own end before is as good as one that was answered.
func (r *fixture) released(op *operation.Operation) (answered, abandoned bool) {
	switch result, _ := op.Result(); result.Reason {
	case operation.Cancelled, operation.BargedIn, operation.CallEnded:
	default:
		return true, false
	}
	ctx, cancel := r.patience(2) // the queue abandons the media after one, or before
	defer cancel()
	e, err := r.seen.Wait(ctx, queue.Released, op)
	if err != nil {
		return false, false
	}
	abandoned = e.Result().Reason == operation.Abandoned
	return !abandoned, abandoned
}

const answers = "media whose Stop is called falls silent and calls Task.End, " +
	"unless it had reported the task before"

// answered waits until the media has answered the Stop of op, and reports if it does not.
func (r *fixture) answered(op *operation.Operation, when string) bool {
	r.t.Helper()
	if answered, _ := r.released(op); answered {
		return true
	}
	r.broke(answers, "no report of %s, %s, in %v", describe(op), when, r.h.Timeout)
	return false
}

// reported waits until the media has reported op, or, if the queue was so hasty as to abandon it,
// until there is a late report more than there were.
func (r *fixture) reported(op *operation.Operation, late int) bool {
	answered, abandoned := r.released(op)
	for end := time.Now().Add(r.h.Timeout); abandoned && !answered && time.Now().Before(end); {
		r.pass(r.quiet() / 5)
		answered = r.lateReports() > late
	}
	return answered
}

// answersStops reports whether the media answers a plain stop. Where it does not, other cases say
// so.
func (r *fixture) answersStops() bool {
	r.t.Helper()
	op := r.lasts()
	if s := r.started(op); s.err != nil || !s.live {
		return false
	}
	r.pass(r.quiet())
	late := r.lateReports()
	r.queue.CancelAll()
	return r.reported(op, late)
}

// stopIsOver waits until op is released and its Stop, if it was called, has returned, and reports
// if it does not.
func (r *fixture) stopIsOver(op *operation.Operation, rule string) bool {
	r.t.Helper()
	r.released(op)
	ctx, cancel := r.patience(1)
	defer cancel()
	for _, t := range r.media.stopping.all() {
		if t.Operation != op {
			continue
		}
		if _, err := task(ctx, &r.media.stopped, op); err != nil {
			r.broke(rule, "Stop of %s had not returned after %v", describe(op), r.h.Timeout)
			return false
		}
	}
	return true
}

// goesOn reports if the media does not begin what comes next.
func (r *fixture) goesOn() {
	r.t.Helper()
	next := r.lasts()
	if r.begun(next) {
		r.stillRuns(next, 0)
	}
}

// stillRuns reports if op, which lasts, does not go on for a while longer.
func (r *fixture) stillRuns(op *operation.Operation, longer time.Duration) bool {
	r.t.Helper()
	r.pass(longer + r.quiet())
	result, ended := op.Result()
	if ended {
		r.broke("an operation is ended by its own task's report only, when it is through",
			"%s, which goes on until it is stopped, ended: %v", describe(op), result.Reason)
	}
	return !ended
}
