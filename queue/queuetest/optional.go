package queuetest

import (
	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// This file shows the rules of what not all media has: Pause and Resume, Prepare, loops.

// pause counts what is heard of an operation while it is paused, and looks whether it goes on.
func pause(r *fixture) {
	r.t.Helper()
	op := r.lasts()
	if !r.begun(op) {
		return
	}
	if !r.isHeard() {
		r.t.Fatalf("queuetest: the harness's FramesSent counts nothing in %v of Lasts", r.h.Timeout)
	}
	if !r.calls(r.queue.PauseOperation, &r.media.paused, op, "Pause") {
		return
	}
	r.pass(r.quiet())
	from := r.heard()
	r.pass(2 * r.quiet())
	if n := r.heard() - from; n > 0 {
		r.broke("what is paused is silent until Resume", "%d frames were heard of %s", n, describe(op))
		return
	}
	if !r.stillRuns(op, 0) || !r.calls(r.queue.ResumeOperation, &r.media.resumed, op, "Resume") {
		return
	}
	if !r.isHeard() {
		r.broke("what was paused goes on with Resume", "nothing was heard of %s for %v", describe(op),
			r.h.Timeout)
	}
}

// calls has the queue pause or resume op, waits until the media has returned, and reports if it
// does not.
func (r *fixture) calls(
	f func(uuid.UUID) error, returned *journal[queue.Task], op *operation.Operation, what string,
) bool {
	r.t.Helper()
	if err := f(op.ID()); err != nil {
		r.broke("what Lasts of the harness makes goes on until it is stopped", "%v", err)
		return false
	}
	ctx, cancel := r.patience(1)
	defer cancel()
	if _, err := task(ctx, returned, op); err != nil {
		r.broke("media of a harness that says Pauses is a queue.Pauser, and its calls return",
			"no %s of %s had returned after %v", what, describe(op), r.h.Timeout)
		return false
	}
	return true
}

func stopPaused(r *fixture) {
	r.t.Helper()
	if !r.answersStops() {
		return
	}
	op := r.lasts()
	if !r.begun(op) || !r.calls(r.queue.PauseOperation, &r.media.paused, op, "Pause") {
		return
	}
	r.pass(r.quiet())
	r.queue.CancelAll()
	if r.answered(op, "stopped while it was paused") {
		r.goesOn()
	}
}

// prepared has one operation prepared while another runs, and looks whether it does nothing before
// its turn, and everything then.
func prepared(r *fixture) {
	r.t.Helper()
	op := r.lasts()
	if !r.begun(op) {
		return
	}
	next := r.ends()
	if !r.prepares(next) || !r.stillRuns(op, 0) {
		return
	}
	if _, err := r.queue.Cancel(op.ID()); err != nil {
		return
	}
	answered, _ := r.released(op)
	ctx, cancel := r.patience(1)
	defer cancel()
	if _, err := task(ctx, &r.media.stopped, op); err == nil && answered { // else others say so
		r.ended(next)
	}
}

// prepares waits until the media's Prepare of op has returned, and reports if it does not.
func (r *fixture) prepares(op *operation.Operation) bool {
	r.t.Helper()
	ctx, cancel := r.patience(1)
	defer cancel()
	same := func(o *operation.Operation) bool { return o == op }
	if _, err := r.media.prepared.find(ctx, same); err != nil {
		r.broke("media of a harness that says Prepares is a queue.Preparer, and its Prepare returns "+
			"when what is prepared is there, or ctx ends", "no Prepare of %s had returned after %v",
			describe(op), r.h.Timeout)
		return false
	}
	return true
}

// prepareHangs cancels what is prepared while the back end hangs.
func prepareHangs(r *fixture) {
	r.t.Helper()
	op := r.lasts()
	if !r.begun(op) {
		return
	}
	release := r.stall()
	defer release()
	next := r.ends()
	ctx, cancel := r.patience(1)
	defer cancel()
	same := func(o *operation.Operation) bool { return o == next }
	if _, err := r.media.preparing.find(ctx, same); err != nil {
		return // op has ended, of which other cases tell
	}
	r.pass(r.quiet())
	if _, err := r.queue.Cancel(next.ID()); err == nil {
		r.prepares(next)
	}
}

// loopEnds seals the queue while a loop runs.
func loopEnds(r *fixture) {
	r.t.Helper()
	op := r.enqueue("Loops", r.h.Loops)
	if r.begun(op) && r.stillRuns(op, 0) {
		r.queue.Seal()
		r.ended(op)
	}
}
