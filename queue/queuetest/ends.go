package queuetest

import (
	"ivrqueue/operation"
)

// This file shows the rules of what ends, well or not, without a stop.

func endsByItself(r *fixture) {
	r.t.Helper()
	op := r.ends()
	e := r.ended(op)
	if e.Result().Reason.Status() != operation.Completed {
		r.broke("an operation that came to its own end is completed: Task.End with a reason for it, "+
			"or with none", "%s is failed: %v, %v", describe(op), e.Result().Reason, e.Result().Err)
	}
}

func endsInsideStart(r *fixture) {
	r.t.Helper()
	op := r.enqueue("EndsAtOnce", r.h.EndsAtOnce)
	s := r.started(op)
	switch result, _ := op.Result(); {
	case s.err != nil:
		r.broke("Start of what ends at once calls Task.End and returns nil", "the error %v", s.err)
		return
	case s.live:
		r.broke("what EndsAtOnce of the harness makes has ended when Start returns",
			"Start has returned, and no end of %s was reported", describe(op))
		return
	case result.Reason.Status() != operation.Completed:
		r.broke("an operation that came to its own end is completed",
			"%s is failed: %v, %v", describe(op), result.Reason, result.Err)
	}
	r.goesOn()
}

func fails(r *fixture) {
	r.t.Helper()
	op := r.enqueue("Fails", r.h.Fails)
	const rule = "what cannot be done fails, by Start's error or Task.Fail, with a cause or a reason"
	switch e := r.ended(op); {
	case e.Result().Reason.Status() == operation.Completed:
		r.broke(rule, "%s is completed: %v", describe(op), e.Result().Reason)
	case e.Result().Reason == operation.Panicked:
		r.broke(rule, "Start of %s panicked or exited: %v", describe(op), e.Result().Err)
	case e.Result().Reason == operation.Unspecified && e.Result().Err == nil:
		r.broke(rule, "%s has failed with neither", describe(op))
	}
}

// failsOnce has two operations fail, of which the second is dead when Start is called, and looks
// on while what they left behind would come.
func failsOnce(r *fixture) {
	r.t.Helper()
	d := length(r.t, r.h)
	r.ended(r.enqueue("Fails", r.h.Fails))
	r.media.cancelsBefore(r.queue)
	r.ended(r.enqueue("Fails", r.h.Fails))
	next := r.lasts()
	if !r.begun(next) || !r.stillRuns(next, d) {
		return
	}
	if n := r.lateReports(); n > 0 {
		r.broke("an error that Start returns is the report, and the only one",
			"%d more reports of two operations that failed", n)
	}
}

func series(r *fixture) {
	r.t.Helper()
	ops := make([]*operation.Operation, 6)
	for i := range ops {
		ops[i] = r.ends()
	}
	for i, op := range ops {
		if s := r.started(op); s.err != nil {
			r.broke("media that has reported one task can start the next, at once",
				"Start of %s, number %d of a series: %v", describe(op), i+1, s.err)
		}
		r.ended(op)
	}
}

func endsOnce(r *fixture) {
	r.t.Helper()
	r.ended(r.ends())
	r.pass(r.quiet())
	r.ended(r.ends())
	r.queue.Close(nil)
	r.pass(r.quiet())
	if n := r.lateReports(); n > 0 {
		r.broke("each task is reported once: by the one thing that ended it",
			"%d more reports after the first, for 2 operations that ended by themselves", n)
	}
}
