package model

import (
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// What callers do.

// accept is Enqueue and Interrupt.
func (q *Queue) accept(s Step, out *Outcome) error {
	id := s.ID
	if id == 0 {
		id = s.Op
	}
	full := q.config.MaxPending > 0 && int(q.pending) >= q.config.MaxPending
	switch {
	case q.sealed:
		return queue.ErrClosed
	case full && s.Do == Enqueue:
		return queue.ErrFull
	case q.Find(id) != 0:
		return queue.ErrDuplicateID
	}
	if s.Do == Interrupt {
		q.endAll(operation.BargedIn, out)
	}
	*q.life(s.Op) = life{id: id, accepted: true}
	out.tell(queue.Accepted, s.Op)
	q.waiting[q.pending] = s.Op
	q.pending++
	return nil
}

// endAll ends everything that lives, with one reason.
func (q *Queue) endAll(why operation.Reason, out *Outcome) {
	if q.Stopping() != 0 {
		q.watch()
	}
	out.Victims = q.Live()
	for _, op := range out.Victims {
		q.end(op, why, out)
	}
}

// cancel ends the one with this id.
func (q *Queue) cancel(id Op, out *Outcome) error {
	op := q.Find(id)
	if op == 0 {
		return queue.ErrNotFound
	}
	out.Victims = []Op{op}
	q.end(op, operation.Cancelled, out)
	return nil
}

// end ends a live operation over its media's head.
func (q *Queue) end(op Op, why operation.Reason, out *Outcome) {
	r := operation.Result{Reason: why}
	q.life(op).end = why
	if op == q.slot {
		r.Position = q.position()
		q.overrule()
	} else {
		q.leave(op)
	}
	out.tellResult(queue.Ended, op, r)
}

// leave takes an operation out of those that wait.
func (q *Queue) leave(op Op) {
	kept := uint8(0)
	for _, w := range q.Waiting() {
		if w != op {
			q.waiting[kept] = w
			kept++
		}
	}
	clear(q.waiting[kept:])
	q.pending = kept
}

// close ends everything and accepts nothing more.
func (q *Queue) close(r operation.Result, out *Outcome) {
	if q.closed {
		q.watch()
		return
	}
	q.sealed, q.closed = true, true
	q.closing, q.cause = r.Reason, r.Err
	q.endAll(r.Reason, out)
}
