package hand

import (
	"github.com/google/uuid"

	"ivrqueue/bench/ids"
	"ivrqueue/operation"
)

// Op is an operation that was accepted.
type Op struct {
	queue   *Queue
	id      uuid.UUID
	request operation.Request

	// Guarded by the queue's mutex.
	status operation.Status
	reason operation.Reason
	times  operation.Times
	done   chan struct{} // made by Done, closed with the end
}

func newOp(q *Queue, req operation.Request) *Op {
	o := &Op{queue: q, request: req, status: operation.NotStarted}
	ids.Fill(&o.id)
	return o
}

// ID returns the operation's id.
func (o *Op) ID() uuid.UUID { return o.id }

// Request returns what was asked for.
func (o *Op) Request() operation.Request { return o.request }

// Status returns the state that the operation is in.
func (o *Op) Status() operation.Status {
	o.queue.mu.Lock()
	defer o.queue.mu.Unlock()
	return o.status
}

// Reason returns why the operation ended, or zero.
func (o *Op) Reason() operation.Reason {
	o.queue.mu.Lock()
	defer o.queue.mu.Unlock()
	return o.reason
}

// Times returns when the operation was accepted, started and ended.
func (o *Op) Times() operation.Times {
	o.queue.mu.Lock()
	defer o.queue.mu.Unlock()
	return o.times
}

// Live reports whether the operation has not ended: media asks before every frame.
func (o *Op) Live() bool { return !o.Status().Terminal() }

// Done returns a channel that is closed when the operation has ended.
func (o *Op) Done() <-chan struct{} {
	o.queue.mu.Lock()
	defer o.queue.mu.Unlock()
	if o.done == nil {
		o.done = make(chan struct{})
		if o.status.Terminal() {
			close(o.done)
		}
	}
	return o.done
}
