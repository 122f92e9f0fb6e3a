package queuetest

import (
	"context"
	"time"
)

// This file shows the rules of preemption: a running operation is ended, and not by its media.

func stop(r *fixture) {
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
func stopBeforeStart(r *fixture) {
	r.t.Helper()
	r.media.cancelsBefore(r.queue)
	op := r.lasts()
	s := r.started(op)
	if s.err != nil {
		return // Start's error was the report
	}
	r.answered(op, "cancelled just before Start was called, so that Task.Live said no from the first")
}

// stopAfterStart cancels as soon as Start has done its work, and, in some more rounds, while it may
// be at it.
func stopAfterStart(r *fixture) {
	r.t.Helper()
	r.media.cancelsAfter(r.queue)
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

// stopMeetsEnd stops an operation at several moments up to its own end and beyond.
func stopMeetsEnd(r *fixture) {
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

// stopsOnce stops an operation halfway and looks on while its own end would have come.
func stopsOnce(r *fixture) {
	r.t.Helper()
	d := length(r.t, r.h)
	op := r.ends()
	r.started(op)
	r.pass(d / 2)
	r.queue.CancelAll()
	r.pass(d + r.quiet())
	r.queue.Close(nil)
	r.pass(r.quiet())
	if n := r.lateReports(); n > 0 {
		r.broke("each task is reported once: by its own end or as the answer to Stop, not by both",
			"%d more reports after the first, for an operation that was stopped", n)
	}
}

// stopAgain calls Stop of a task twice more than the queue does: at once, as a wrapper of the media
// may, and when the next operation has the media, as the queue does where an abandoned Start
// comes back. Nothing is promised of such a Stop but what it must not do.
func stopAgain(r *fixture) {
	r.t.Helper()
	if !r.answersStops() {
		return
	}
	usual := r.lateReports()
	r.media.stopTwice.Store(true)
	first := r.lasts()
	r.started(first)
	r.queue.CancelAll()
	r.released(first)
	r.media.stopTwice.Store(false)
	next := r.lasts()
	if !r.begun(next) || !r.stopsAgain(first) || !r.stillRuns(next, 0) {
		return
	}
	if n := r.lateReports() - usual; n > usual {
		r.broke("Stop of a task that was reported does nothing",
			"%d more reports after the first, for %s, whose Stop was called three times",
			n, describe(first))
	}
	r.queue.CancelAll()
	r.answered(next, "stopped after Stop was called again for the one before")
}

// stopReturns looks for the return of Stop only, whether the report comes in it or later.
func stopReturns(r *fixture) {
	r.t.Helper()
	op := r.lasts()
	if !r.begun(op) {
		return
	}
	r.queue.CancelAll()
	if !r.stopIsOver(op, "Stop returns, within the stop timeout, also when it has reported") {
		return
	}
	last := r.lasts()
	if !r.begun(last) {
		return
	}
	r.queue.Close(nil)
	r.stopIsOver(last, "Stop returns, also when the call has ended")
}

// endOfAnother stops an operation halfway, starts one that lasts, and looks on while the first
// one's own end would have come.
func endOfAnother(r *fixture) {
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

func bargeIn(r *fixture) {
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

func callEnds(r *fixture) {
	r.t.Helper()
	op := r.lasts()
	if !r.begun(op) || !r.stillRuns(op, 0) {
		return
	}
	r.queue.Close(nil)
	r.answered(op, "stopped by Close")
}
