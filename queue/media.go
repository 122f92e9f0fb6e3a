package queue

import (
	"context"
	"time"

	"ivrqueue/operation"
)

// Media does the operations: it plays, it records. The queue owns when, the media owns how. Its two
// methods are called one at a time for a queue, Start before Stop of the same task, with no lock held;
// by default on the queue's own dispatcher, so they may block and take any lock: while one blocks,
// nothing else is started on this call, and, after a millisecond or two, nothing else waits. They may
// call everything of the queue that does not wait. A panic or a runtime.Goexit in Start ends the
// operation with [operation.Panicked]; in either the queue goes on.
//
// The next Start on a queue means that the last task was reported and its callbacks have returned, or
// that it was abandoned because its report did not come, or its callback did not return, within the
// stop timeout. Only the callback of an abandoned task can be under way beside another; when such a
// Start returns at last, Stop is called for its task, wherever the others are.
type Media interface {
	// Start begins t. When it returns nil, t.End or t.Fail reports the end, from any goroutine, also
	// from inside Start. An error is as t.Fail of it, unless the end was reported. A request to a back
	// end that t.Context broke off may have begun there all the same.
	Start(t Task) error

	// Stop says that t was preempted: it has ended by a cancel, a barge-in, a timeout, or the end of the
	// call. Fall silent, and still call t.End, with what you have. It is called only if Start was, at
	// most once, and not if the end was reported. Media that does not report within the stop timeout is
	// abandoned.
	Stop(t Task)
}

// Active is the operation that the media has, with the means to tell its progress but not its end:
// what a [Blocking] function gets. It is small, may be copied and compared, and its zero value is dead
// and harmless.
type Active struct {
	*operation.Operation

	entry *entry
}

// Progress tells how far the media has come, in what was played or recorded: one atomic store, as
// cheap as that. It is the position of a cancelled operation, and to tell it is what keeps the run
// timeout away, whatever the position: a loop may tell the same ones again and again.
func (a Active) Progress(position time.Duration) {
	if a.entry != nil {
		a.entry.control.Progress(position)
	}
}

// Task is an operation that media is to do, and the means to report its end. It is small, may be
// copied, kept and compared, and its zero value is dead and harmless. A report counts once: what
// comes later, or after the media was abandoned, changes nothing. After the queue's Done a task that
// is kept keeps its operation and nothing else.
type Task struct {
	Active

	link *link
}

// queue returns the task's queue, or nil if there is none, or no more.
func (t Task) queue() *Queue {
	if t.link == nil || t.entry == nil {
		return nil
	}
	return t.link.queue.Load()
}

// End tells the queue that the media is through with the operation, and how it went; see
// [operation.Result] for what may be left out. For an operation that was preempted it frees the
// media and tells what there is: recording and position arrive as Released, where a zero Reason
// means that of the operation.
// It does not block, save for what inline callbacks do, and may be called from any goroutine.
func (t Task) End(r operation.Result) {
	if !r.Reason.Valid() && (r.Reason != 0 || r.Err != nil) {
		t.endFor(r)
		return
	}
	if q := t.queue(); q != nil {
		q.report(t.entry, &r)
	}
}

// endFor is End with a result whose error tells the reason. The error is code of others: it is asked
// before the lock is taken, and if it exits this goroutine, the end is told all the same.
func (t Task) endFor(r operation.Result) {
	r.Reason = operation.Unspecified
	defer func() { t.End(r) }()
	r.Reason = operation.ReasonOf(r.Err)
}

// Fail is End with err as cause and the first [operation.Reason] that [operation.FindReason] finds in
// it, else [operation.Unspecified]. Where another reason than the first is meant, call End.
func (t Task) Fail(err error) {
	r := operation.Result{Err: err}
	if err == nil {
		r.Reason = operation.Unspecified
	}
	t.End(r)
}

// normalize gives a result the reason that media means: a valid one, or zero for success. It asks the
// error, so it must be called without the lock.
func normalize(r *operation.Result) {
	if !r.Reason.Valid() && (r.Reason != 0 || r.Err != nil) {
		r.Reason = operation.ReasonOf(r.Err)
	}
}

// failed is the result that an error of the media stands for.
func failed(err error) operation.Result {
	return operation.Result{Reason: operation.ReasonOf(err), Err: err}
}

// Blocking makes Media of a function that plays or records until it is done or ctx ends: the easy
// form. It costs one goroutine per running operation. ctx ends soon after a cancel, before the
// cancel returns; t.Live is exact. What the function returns is the report, and its return (or
// panic, or exit) the only one, so two of them never run at once on a call, unless one did not
// return within the stop timeout and was abandoned. An error fails the operation as t.Fail would,
// and keeps position and recording of the result. A function that finds itself no longer Live
// returns t.Err(), or anything else: its operation has ended.
//
// New refuses a nil function.
func Blocking(f func(ctx context.Context, op Active) (operation.Result, error)) Media {
	return blocking(f)
}

type blocking func(ctx context.Context, op Active) (operation.Result, error)

// Start runs the function on a goroutine of its own, which ends with its report. A queue that has
// this media itself, and not within another, runs the function on its dispatcher instead.
func (f blocking) Start(t Task) error {
	go func() {
		r := operation.Result{Reason: operation.Panicked, Err: ErrExited}
		defer func() {
			if q := t.queue(); q != nil {
				q.blockingEnded(t.entry, &r)
			}
		}()
		f.perform(t, &r)
	}()
	return nil
}

// Stop does nothing: whoever ended the operation has ended its context.
func (blocking) Stop(Task) {}

// perform runs the function and fills in what that reports, also if it panics. If it exits its
// goroutine, r stays as it was.
func (f blocking) perform(t Task, r *operation.Result) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			*r = operation.Result{Reason: operation.Panicked, Err: failure(v)}
		}
	}()
	result, err := f(t.Context(), t.Active)
	if err != nil {
		result.Reason, result.Err = operation.ReasonOf(err), err
	}
	normalize(&result)
	*r = result
	returned = true
}
