package queuetest

import (
	"context"
	"sync"
	"time"

	"ivrqueue/operation"
)

// cases are the rules, one by one. A case looks at its own rule only, so that media with one fault
// fails in one place: where others would do, it takes any end for an end.
var cases = []Case{
	newCase("an operation ends by itself", endsByItself),
	newCase("an end inside Start counts", endsInsideStart).
		needing("EndsAtOnce", func(h *Harness) func() operation.Request { return h.EndsAtOnce }),
	newCase("a failure is told with its cause", fails).
		needing("Fails", func(h *Harness) func() operation.Request { return h.Fails }),
	newCase("a series is done one after the other", series),
	newCase("each operation is reported once", reportsOnce),
	newCase("a stop is answered", stop),
	newCase("a stop before Start is answered", stopBeforeStart),
	newCase("a stop right after Start is answered", stopAfterStart),
	newCase("a stop that meets the end is answered", stopMeetsEnd),
	newCase("the end of one operation does not end the next", endOfAnother),
	newCase("a barge-in is a stop too", bargeIn),
	newCase("the end of the call is a stop too", callEnds),
}

func endsByItself(r *rig) {
	r.t.Helper()
	op := r.ends()
	e := r.ended(op)
	if e.Result.Reason.Status() != operation.Completed {
		r.broke("an operation that came to its own end is completed: Task.End with a reason for it, "+
			"or with none", "%s is failed: %v, %v", describe(op), e.Result.Reason, e.Result.Err)
	}
}

func endsInsideStart(r *rig) {
	r.t.Helper()
	op := r.enqueue("EndsAtOnce", r.h.EndsAtOnce)
	s := r.started(op)
	switch result, _ := op.Result(); {
	case s.err != nil:
		r.broke("Start of what ends at once calls Task.End and returns nil", "the error %v", s.err)
		return
	case s.live:
		r.broke("what EndsAtOnce of the harness makes has ended when Start returns",
			"Start has returned, and no end of %s was told", describe(op))
		return
	case result.Reason.Status() != operation.Completed:
		r.broke("an operation that came to its own end is completed",
			"%s is failed: %v, %v", describe(op), result.Reason, result.Err)
	}
	r.goesOn()
}

func fails(r *rig) {
	r.t.Helper()
	op := r.enqueue("Fails", r.h.Fails)
	const rule = "what cannot be done fails, by Start's error or Task.Fail, with a cause or a reason"
	switch e := r.ended(op); {
	case e.Result.Reason.Status() == operation.Completed:
		r.broke(rule, "%s is completed: %v", describe(op), e.Result.Reason)
	case e.Result.Reason == operation.Panicked:
		r.broke(rule, "Start of %s panicked or exited: %v", describe(op), e.Result.Err)
	case e.Result.Reason == operation.Unspecified && e.Result.Err == nil:
		r.broke(rule, "%s has failed with neither", describe(op))
	}
	r.goesOn()
}

func series(r *rig) {
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

func reportsOnce(r *rig) {
	r.t.Helper()
	d := length(r.t, r.h)
	r.ended(r.ends())
	r.pass(r.quiet())
	op := r.ends() // stopped halfway, and watched until its own end would have come
	r.started(op)
	r.pass(d / 2)
	r.queue.CancelAll()
	r.pass(d + r.quiet())
	r.queue.Close(nil)
	r.pass(r.quiet())
	if n := r.queue.Snapshot().LateReports; n > 0 {
		r.broke("each task is reported once: by its own end or as the answer to Stop, not by both",
			"%d more reports after the first, for 2 operations, of which one was stopped", n)
	}
}

func stop(r *rig) {
	r.t.Helper()
	op := r.lasts()
	if !r.begun(op) || !r.stillRuns(op, 0) {
		return
	}
	r.queue.CancelAll()
	if r.answered(op, "stopped while it ran") {
		r.goesOn()
	}
}

// stopBeforeStart cancels when Start is on its way: the task is dead on arrival, and Stop follows.
func stopBeforeStart(r *rig) {
	r.t.Helper()
	r.media.before = r.cancelOnce()
	op := r.lasts()
	s := r.started(op)
	if s.err != nil {
		return // Start's error was the report
	}
	r.answered(op, "cancelled just before Start was called, so that Task.Live said no from the first")
}

// stopAfterStart cancels as soon as Start has done its work, and, in some more rounds, while it may
// be at it.
func stopAfterStart(r *rig) {
	r.t.Helper()
	r.media.after = r.cancelOnce()
	op := r.lasts()
	if s := r.started(op); s.err == nil &&
		!r.answered(op, "cancelled in the moment in which Start returned") {
		return
	}
	for range 20 {
		op := r.lasts()
		r.queue.CancelAll()
		if r.queue.Snapshot().Stopping == op && !r.answered(op, "cancelled right after it was enqueued") {
			return
		}
	}
}

// cancelOnce returns a function that cancels when it is first called.
func (r *rig) cancelOnce() func() {
	return sync.OnceFunc(func() { r.queue.CancelAll() })
}

// stopMeetsEnd stops an operation at several moments up to its own end and beyond.
func stopMeetsEnd(r *rig) {
	r.t.Helper()
	const moments = 12
	d := length(r.t, r.h)
	for i := range time.Duration(moments + 2) {
		op := r.ends()
		if s := r.started(op); s.err != nil {
			continue
		}
		r.pass(time.Until(op.Times().Started.Add(d * i / moments))) //nolint:durationcheck // i counts
		if _, err := r.queue.Cancel(op.ID()); err != nil {
			continue // it has ended
		}
		if !r.answered(op, "stopped around the time of its own end") {
			return
		}
	}
}

// endOfAnother stops an operation halfway, starts one that lasts, and looks on while the first
// one's own end would have come.
func endOfAnother(r *rig) {
	r.t.Helper()
	d := length(r.t, r.h)
	first := r.ends()
	r.started(first)
	r.pass(d / 2)
	r.queue.CancelAll()
	next := r.lasts()
	if r.begun(next) {
		r.stillRuns(next, d)
	}
}

func bargeIn(r *rig) {
	r.t.Helper()
	op := r.lasts()
	if !r.begun(op) || !r.stillRuns(op, 0) {
		return
	}
	next, _, err := r.queue.Interrupt(context.Background(), r.h.Lasts())
	if err != nil {
		r.t.Fatalf("queuetest: Interrupt: %v", err)
	}
	if r.answered(op, "stopped by an Interrupt") {
		r.begun(next)
	}
}

func callEnds(r *rig) {
	r.t.Helper()
	op := r.lasts()
	if !r.begun(op) || !r.stillRuns(op, 0) {
		return
	}
	r.queue.Close(nil)
	r.answered(op, "stopped by Close")
	ctx, cancel := r.patience(1)
	defer cancel()
	select {
	case <-r.queue.Done():
	case <-ctx.Done():
		r.broke("Start and Stop return", "Done of the closed queue is still open after %v", r.h.Within)
	}
}
