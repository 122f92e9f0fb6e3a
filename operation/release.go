package operation

import (
	"sync/atomic"
	"time"
)

// A preempted operation has ended before its media is through with it: the media falls silent, and
// says what it has. The result stands; what the media said last is beside it.

// extras holds what most operations do not need.
type extras struct {
	// Of the result. Written before the state that shows it, and never after.
	err       error
	recording Recording
	value     any
	by        *Cause // who ended it, or nil

	stopTimeout time.Duration // of its Spec

	place place // in its prompts; written by the media

	final atomic.Pointer[Result] // what the media said last; written under the queue's mutex

	// Guarded by the operation's mutex.
	released chan struct{} // made by Released
	closed   bool
}

// needExtras returns the operation's extras, and makes them if there are none. Readers and the
// queue, who share no lock, may both be the first; made has room for them, or is nil.
func (o *Operation) needExtras(made *extras) *extras {
	if x := o.extras.Load(); x != nil {
		return x
	}
	if made == nil {
		made = new(extras)
	}
	if o.extras.CompareAndSwap(nil, made) {
		return made
	}
	return o.extras.Load()
}

// Released returns a channel that is closed when the media is through with the operation: at its
// end if the media ended it, or never had it; if it was preempted, when the media has reported, or
// was abandoned because it did not within the stop timeout. [Operation.FinalResult] has the media's
// last word then. It is closed with Done or later, before the call that reports returns, and before
// the queue is done; the Released event may come a moment before or after. It costs nothing to who
// does not ask.
func (o *Operation) Released() <-chan struct{} {
	if o == nil {
		return closed
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.needExtras(nil)
	if x.released == nil {
		x.released = make(chan struct{})
		o.flags.Or(awaited)
	}
	// As in Done: look again, since it may have been released before anyone could know of the channel.
	o.closeReleased()
	return x.released
}

// FinalResult returns what the media said last, and whether it is through with the operation; see
// [Operation.Released]. It is the Result, save for an operation that was preempted: there it is the
// result of the Released event, with the recording and the position that the media came to, or with
// the reason [Abandoned] if it did not report in time. If it reports after all, from then on it is
// the result of the Late event.
func (o *Operation) FinalResult() (Result, bool) {
	r, ended := o.Result()
	if !ended || !o.through() {
		return Result{}, false
	}
	if x := o.extras.Load(); x != nil {
		if final := x.final.Load(); final != nil {
			return *final, true
		}
	}
	return r, true
}

// Preempted reports whether the operation was ended while its media had it, by others than its
// media: then a Released event follows its Ended event, and is the last one save for Late. It is
// exact once the operation has ended.
func (o *Operation) Preempted() bool { return o != nil && o.flags.Load()&preempted != 0 }

// through reports whether the media is through with an operation that has ended. Who preempts an
// operation says so before the end can be seen, and the final result is written before it is taken
// back: so whoever asks for the end first, then for this, then for the final result, is right.
func (o *Operation) through() bool { return o.flags.Load()&stopping == 0 }

// closeReleased closes the channel that Released has made, if it has and the time has come, once.
// The mutex is held.
func (o *Operation) closeReleased() {
	x := o.extras.Load()
	if x == nil || x.released == nil || x.closed || o.reason() == 0 || !o.through() {
		return
	}
	x.closed = true
	close(x.released)
}

// Stopping says that the operation is about to be ended while its media has it, before its end or
// its generation's. Release follows, when the media has reported or was abandoned.
func (c *Control) Stopping() { c.op.flags.Or(stopping | preempted) }

// Release is what the media of a preempted operation said, and room for the operation to keep it.
type Release struct {
	Result Result

	extras extras
}

// Repeats reports whether r says no more than the result of a preempted operation does.
func (c *Control) Repeats(r *Result) bool {
	if r.Err != nil || r.Value != nil || r.Recording != (Recording{}) {
		return false
	}
	var result Result
	c.op.result(&result)
	return r.Reason == result.Reason && r.Position == result.Position
}

// Release makes r's result the final one; nil is for one that Repeats. r must not change any more.
// It may come again, with a late report. Follow it with NotifyDone.
func (c *Control) Release(r *Release) {
	if r != nil {
		c.op.needExtras(&r.extras).final.Store(&r.Result)
	}
	c.op.flags.And(^stopping)
}
