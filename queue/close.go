package queue

import (
	"context"

	"ivrqueue/operation"
)

// Seal makes the queue accept nothing more, Interrupt included. It closes when the last operation
// has ended: the goodbye before the hang-up. A looping play never ends by itself. Media that has
// reported by then and does not return from its callback is given up after the stop timeout.
func (q *Queue) Seal() {
	q.enter(0)
	q.sealed = true
	var c clock
	q.settle(&c)
	q.unlock(nil)
}

// Close ends the queue: everything that runs or waits fails at one instant, with the
// [operation.Reason] that [operation.FindReason] finds in cause, else with [operation.CallEnded].
// It does not wait; see Done. The receipt names those that were ended, so it is empty when Close is
// called again.
func (q *Queue) Close(cause error) Receipt {
	why, ok := operation.FindReason(cause) // before the lock: it is code of others
	if !ok {
		why = operation.CallEnded
	}

	q.enter(0)
	if q.closed {
		q.leave(0)
		return Receipt{}
	}
	q.sealed, q.closed = true, true
	q.seldom().closing = operation.Result{Reason: why, Err: cause}
	var c clock
	victims, awaited := q.endAll(why, &c)
	q.settle(&c)
	q.unlock(awaited)
	return Receipt{victims: victims}
}

// Done returns a channel that is closed when the queue is closed, its media has reported or was
// given up, and no callback is under way: no goroutine or timer of the queue is left then, save
// goroutines inside media that was given up.
func (q *Queue) Done() <-chan struct{} {
	q.enter(0)
	defer q.leave(0)
	if q.done == nil {
		q.done = make(chan struct{})
		if q.finished() {
			close(q.done)
		}
	}
	return q.done
}

// Shutdown seals the queue, waits until it is done or ctx is, and then closes it with cause. It
// returns nil if the queue was done in time, else the cause of ctx and the receipt of those that
// Close ended; what is left to do then, Done tells.
func (q *Queue) Shutdown(ctx context.Context, cause error) (Receipt, error) {
	over, err := doneOf(ctx)
	if err != nil {
		return Receipt{}, err
	}
	q.Seal()
	done := q.Done()
	select {
	case <-done:
		return Receipt{}, nil
	case <-over:
	}
	select {
	case <-done: // both: it was in time
		return Receipt{}, nil
	default:
		return q.Close(cause), causeOf(ctx)
	}
}

// finished reports whether Done is closed, or would be if anyone had asked for it.
func (q *Queue) finished() bool { return q.media == nil }

// finish closes Done if there is nothing left to happen, and lets go of what the queue held and of
// its tasks.
func (q *Queue) finish() {
	if !q.parted || q.finished() || q.mediaBusy || q.slot != nil || q.finishing > 0 ||
		!q.allTold() || q.rare.diary.busy {
		return
	}
	q.media, q.generation = nil, nil
	q.rare.closing = operation.Result{}
	if q.link != nil {
		q.link.queue.Store(nil)
		q.link = nil
	}
	if q.done != nil {
		close(q.done)
	}
}
