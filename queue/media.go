package queue

import (
	"context"
	"time"

	"ivrqueue/operation"
)

// Media does the operations: it plays, it records. The queue owns when, the media owns how. Its two
// methods are called one at a time for a queue, Start before Stop of the same task, with no lock
// held; by default on the queue's own dispatcher, so they may block and take any lock: while one
// blocks, nothing else is started on this call, and, after a millisecond or two, nothing else
// waits. They may call everything of the queue that does not wait. A panic or a runtime.Goexit in
// Start ends the operation with [operation.Panicked]; in either the queue goes on. Where the media
// is abandoned after one in Stop, that is the Err of the Released result.
//
// The next Start on a queue means that the last task was reported and its callbacks have returned,
// or that it was abandoned because its report did not come, or its callback did not return, within
// the stop timeout. Only the callback of an abandoned task can be under way beside another; when
// such a Start returns at last, Stop is called for its task, wherever the others are.
type Media interface {
	// Start begins t. When it returns nil, t.End or t.Fail reports the end, from any goroutine,
	// also from inside Start. An error is as t.Fail of it, unless the end was reported. A request
	// to a back end that t.Context broke off may have begun there all the same.
	Start(t Task) error

	// Stop says that t was preempted: it has ended by a cancel, a barge-in, a timeout, or the end of
	// the call. Fall silent, and still call t.End, with what you have. It is called only if Start was,
	// at most once, and not if the end was reported. Media that does not report within the stop
	// timeout is abandoned; what it reports later arrives as [Late].
	Stop(t Task)
}

// Media may have more methods than Start and Stop: those of Pauser, LoopEnder and Preparer. New
// looks for them. Media that wraps other media hides them, unless it has them too.

// Pauser is Media that can pause an operation and go on with it where it was.
type Pauser interface {
	// Pause says that t is to fall silent and to keep its place: nothing of it is sent or recorded
	// until Resume. t stays running, and live: it may still be ended by its media, as it may have been
	// a moment ago, preempted: then Stop is called without a Resume before it.
	//
	// Pause and Resume are called as Start and Stop are, one at a time with them, in turn, after Start
	// has returned and not once t has ended. Where both are asked for before the media got either,
	// neither is called. One that panics counts as called.
	Pause(t Task)
	Resume(t Task)
}

// Preparer is Media that can do something for an operation before its turn: load its prompts, make
// speech of its text, so that it begins without a gap.
type Preparer interface {
	// Prepare gets the operation that will be next, while it waits: of each at most once, when
	// it becomes the first that waits. It may be displaced again, by EnqueueNext, and may never begin.
	// ctx ends when the operation is started or ends, before Start is called of it, with the values of
	// Enqueue's context; its cause is the operation's [operation.Reason], or [ErrStarted]. What was
	// prepared for one that has ended is not wanted any more.
	//
	// It is called on a goroutine of its own, also with WithInlineMedia, one at a time, beside Start,
	// Stop and all others, so it may block: that holds up the Prepare of the next one and nothing
	// else. A panic or a runtime.Goexit is logged. One that has not returned within the stop timeout
	// after ctx has ended is abandoned, which is logged: others may be called beside it then. Done
	// waits for Prepare to return or to be abandoned.
	Prepare(ctx context.Context, op *operation.Operation)
}

// LoopEnder is Media whose back end loops by itself.
type LoopEnder interface {
	// EndLoop says that the queue is sealed: if t loops, it is to come to its end, completed, at the
	// loop's next boundary, and what does not loop goes on as it is. It is called as Start and Stop
	// are, one at a time with them, once for each task, after Start has returned; not once t has
	// ended. Media that makes the loops itself asks [Active.LastLoop] instead.
	EndLoop(t Task)
}

// servedBy returns which optional calls the media has.
func servedBy(m Media) (calls optionalCalls) {
	if _, ok := m.(Pauser); ok {
		calls |= servesPause
	}
	if _, ok := m.(Preparer); ok {
		calls |= servesPrepare
	}
	if _, ok := m.(LoopEnder); ok {
		calls |= servesEndLoop
	}
	return calls
}

// Active is the operation that the media has, with the means to report its progress but not its
// end: what a [Blocking] function gets. Its Request says what to do: switch on the type. It
// is small, may be copied and compared, and its zero value is dead and harmless.
type Active struct {
	*operation.Operation

	entry *entry
}

// Progress reports how far the media has come, in what was played or recorded: one atomic store, as
// cheap as that. It is the position of a cancelled operation, and to report it is what keeps the
// run timeout away, whatever the position: a loop may report the same ones again and again.
func (a Active) Progress(position time.Duration) {
	if a.entry != nil {
		a.entry.control.Progress(position)
	}
}

// ProgressAt is Progress that reports the place too: which prompt is heard, counted from 0, and how
// far it has come in that, both as [operation.Operation.Place] has them. The first one of an
// operation allocates; each later one is two atomic stores.
func (a Active) ProgressAt(prompt int, offset, position time.Duration) {
	if a.entry != nil {
		a.entry.control.ProgressAt(prompt, offset, position)
	}
}

// LastLoop reports whether a loop is to end at its next boundary, completed: the queue is sealed,
// so to loop on would only hold up what waits, and the end of the call. Media that loops asks
// whenever it has come to the end of what it repeats. Once it says yes it does not change. It costs
// an atomic load.
func (a Active) LastLoop() bool { return a.entry != nil && a.entry.control.LastLoop() }

// Task is an operation that media is to do, and the means to report its end. It is small, may
// be copied, kept and compared, and its zero value is dead and harmless. A report counts once,
// what comes later changes nothing; the first one after the media was abandoned arrives as
// [Late]. After the queue's Done a task that is kept keeps its operation and nothing else, once
// all media that was abandoned has reported; until then it keeps the queue.
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

// End reports that the media is through with the operation, and how it went; see
// [operation.Result] for what may be left out. For an operation that was preempted it frees the
// media and reports what there is: recording and position arrive as Released, where a zero Reason
// means that of the operation. A Reason that is not registered stands for the one found in Err,
// which names the number if it is nil. An Err whose methods panic, as a typed nil's do, or whose
// tree has more than 1,000 errors, is replaced by an error that says so.
// It does not block, save for what inline callbacks do, and may be called from any goroutine.
func (t Task) End(r operation.Result) {
	if r.Err != nil || r.Reason != 0 && !r.Reason.Valid() {
		t.endFor(r)
		return
	}
	if q := t.queue(); q != nil {
		q.report(t.entry, &r)
	}
}

// endFor is End with a result that has an error. That is code of others: it is asked before the
// lock is taken, and if it exits this goroutine, the end is reported all the same.
func (t Task) endFor(r operation.Result) {
	asked := r
	if asked.Err = errUnasked; !r.Reason.Valid() {
		asked.Reason = operation.Unspecified
	}
	defer func() {
		if q := t.queue(); q != nil {
			q.report(t.entry, &asked)
		}
	}()
	normalize(&r)
	asked = r
}

// Fail is End with err as cause and the first [operation.Reason] that [operation.FindReason] finds
// in it, else [operation.Unspecified]. Where another reason than the first is meant, call End.
func (t Task) Fail(err error) {
	r := operation.Result{Err: err}
	if err == nil {
		r.Reason = operation.Unspecified
	}
	t.End(r)
}

// Blocking makes Media of a function that plays or records until it is done or ctx ends: the easy
// form. It runs on a goroutine of the queue's, one for each running operation. ctx is op.Context:
// it ends soon after a cancel, before the cancel returns; op.Live is exact. What must outlast the
// operation, such as the upload of a recording, must not use ctx, which a hang-up ends, and the
// recording with it: derive from op.DetachedContext, with a timeout of your own. What the function
// returns is the report, and its return (or panic, or exit) the only one, so two of them never run
// at once on a call, unless one did not return within the stop timeout and was abandoned. An error
// fails the operation as Task.Fail would, and keeps position and recording of the result. A
// function that finds its operation no longer live returns op.Err(), or anything else: it has
// ended.
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
		result.Reason, result.Err = 0, err
	}
	normalize(&result)
	*r = result
	returned = true
}
