package queuetest

import (
	"time"

	"ivrqueue/operation"
)

// This file shows the rules that matter when a back end hangs: the media's callbacks may hang with
// it, and what the queue has abandoned comes back late.

// startHangs cancels an operation that may be waiting for a back end that hangs. Its Start must not
// hold up all other calls of the media. Media that sends the frames itself must report, too,
// though what it waits for does not come; where the back end plays, only that could tell.
func startHangs(r *fixture) {
	r.t.Helper()
	op, release := r.startsStalled()
	r.queue.CancelAll()
	ctx, cancel := r.patience(1)
	defer cancel()
	if _, err := r.media.returned(ctx, op); err != nil {
		r.broke("a Start that waits for its back end waits no longer than t.Context, or has a patience "+
			"of its own that is shorter than the stop timeout",
			"the back end hangs, and Start of %s had not returned %v after its cancel",
			describe(op), r.h.Timeout)
		return
	}
	if r.h.MaxTail > 0 && !r.answered(op, "cancelled while it waited for a back end that hung") {
		return
	}
	release()
	r.released(op)
	r.goesOn()
}

// stopHangs stops an operation whose back end hangs, so that it may be abandoned with its Stop
// under way, and has the back end answer when the next one has the media.
func stopHangs(r *fixture) {
	r.t.Helper()
	op := r.lasts()
	if !r.begun(op) {
		return
	}
	release := r.stall()
	r.queue.CancelAll()
	r.released(op)
	next := r.lasts()
	r.entered(next)
	release()
	r.stopIsOver(op, "a Stop that waits for its back end returns when that answers, "+
		"also when the queue has abandoned it meanwhile")
}

// lateReport has the answer to a stop come when the next operation has the media, because the back
// end hung so long that the first was abandoned. A back end without ids for operations does not
// tell which one has ended. The first is one that lasts, one whose own end comes meanwhile, and, if
// its Start does not wait, one that the back end has not begun yet.
func lateReport(r *fixture) {
	r.t.Helper()
	d := length(r.t, r.h)
	if !r.answersStops() {
		return
	}
	begun := func(enqueue func() *operation.Operation) (first *operation.Operation, release func()) {
		first = enqueue()
		r.started(first)
		return first, r.stall()
	}
	for _, late := range []func() (first *operation.Operation, release func()){
		func() (*operation.Operation, func()) { return begun(r.lasts) },
		func() (*operation.Operation, func()) { return begun(r.ends) },
		r.startsStalled,
	} {
		first, release := late()
		if !r.hasReturned(first) {
			return // that is another case
		}
		r.queue.CancelAll()
		r.released(first)
		if !r.undisturbed(release, d, "its stop came after the report of one that was abandoned") {
			return
		}
	}
}

// lateStart cancels an operation whose Start waits for a back end that hangs, so that it may be
// abandoned with its Start under way. When that returns, the next operation has the media, and Stop
// is called for the first.
func lateStart(r *fixture) {
	r.t.Helper()
	d := length(r.t, r.h)
	if !r.answersStops() {
		return
	}
	first, release := r.startsStalled()
	if r.hasReturned(first) {
		return // that is another case
	}
	r.queue.CancelAll()
	r.released(first)
	r.undisturbed(release, d, "its stop came after the Start of one that was abandoned had returned")
}

// startsStalled has Start called for an operation that lasts, while the back end hangs.
func (r *fixture) startsStalled() (op *operation.Operation, release func()) {
	r.t.Helper()
	release = r.stall()
	op = r.lasts()
	r.entered(op)
	r.pass(r.quiet())
	return op, release
}

// undisturbed starts an operation, has the back end go on, looks on while what was abandoned comes
// back, for d, and stops it.
func (r *fixture) undisturbed(release func(), d time.Duration, when string) bool {
	r.t.Helper()
	next := r.lasts()
	r.entered(next)
	r.pass(r.quiet())
	release()
	if !r.begun(next) || !r.stillRuns(next, d) {
		return false
	}
	if r.h.FramesSent != nil && !r.isHeard() {
		r.broke("what was abandoned does not hold up the next",
			"the back end goes on, and nothing is heard of %s in %v", describe(next), r.h.Timeout)
		return false
	}
	late := r.lateReports()
	r.queue.CancelAll()
	if !r.reported(next, late) {
		r.broke(answers, "no report of %s in %v; %s", describe(next), r.h.Timeout, when)
		return false
	}
	return true
}
