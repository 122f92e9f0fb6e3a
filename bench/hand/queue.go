package hand

import (
	"errors"
	"sync"
	"time"

	"ivrqueue/operation"
)

// What a queue refuses.
var (
	ErrClosed = errors.New("hand: closed")
	ErrFull   = errors.New("hand: full")
)

// MaxPending is how many operations may wait.
const MaxPending = 1024

// Work does an operation on the queue's goroutine, and returns when it is through. Where it takes
// long it looks at the operation's Done, or asks whether it is Live.
type Work func(*Op) operation.Reason

// Queue is one call's queue. New makes it, Close ends it.
type Queue struct {
	work    Work
	observe func(Event)
	wake    chan struct{} // holds a token if the goroutine sleeps and has something to do
	gone    chan struct{} // closed when the goroutine has ended

	mu sync.Mutex // guards everything below, and the operations

	waiting     fifo
	running     *Op
	undelivered []Event
	spare       []Event // the queue's goroutine's own, while it has it
	seq         uint64
	asleep      bool
	closed      bool
}

// New makes a queue and its goroutine.
func New(work Work, observe func(Event)) *Queue {
	q := &Queue{
		work: work, observe: observe,
		wake: make(chan struct{}, 1), gone: make(chan struct{}),
	}
	go q.run()
	return q
}

// Enqueue accepts an operation at the tail.
func (q *Queue) Enqueue(req operation.Request) (*Op, error) {
	if err := req.Validate(); err != nil {
		return nil, err
	}
	o := newOp(q, req)
	q.mu.Lock()
	switch {
	case q.closed:
		q.mu.Unlock()
		return nil, ErrClosed
	case q.waiting.len() >= MaxPending:
		q.mu.Unlock()
		return nil, ErrFull
	}
	o.times.Accepted = time.Now()
	q.waiting.push(o)
	q.commit(Accepted, o)
	q.unlockAndWake()
	return o, nil
}

// CancelAll ends everything that runs or waits at one instant, and returns it, the running one
// first.
func (q *Queue) CancelAll() []*Op {
	q.mu.Lock()
	ended := q.endAll(operation.Cancelled)
	q.unlockAndWake()
	return ended
}

// Close ends everything, and returns when the queue's goroutine is through.
func (q *Queue) Close() []*Op {
	q.mu.Lock()
	q.closed = true
	ended := q.endAll(operation.CallEnded)
	q.unlockAndWake()
	<-q.gone
	return ended
}

// Settled reports whether the queue's goroutine has nothing to do but to wait for the operation
// that runs, or for another.
func (q *Queue) Settled() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.asleep || q.running != nil && !q.running.status.Terminal()
}

func (q *Queue) endAll(why operation.Reason) []*Op {
	n := q.waiting.len()
	live := q.running != nil && !q.running.status.Terminal()
	if live {
		n++
	}
	if n == 0 {
		return nil
	}
	ended := make([]*Op, 0, n)
	if live {
		ended = append(ended, q.running)
	}
	ended = q.waiting.drain(ended)
	now := time.Now()
	for _, o := range ended {
		q.end(o, operation.Failed, why, now)
	}
	return ended
}

// end ends an operation. The lock is held.
func (q *Queue) end(o *Op, s operation.Status, why operation.Reason, at time.Time) {
	o.status, o.reason, o.times.Ended = s, why, at
	if o.done != nil {
		close(o.done)
	}
	q.commit(Ended, o)
}

// unlockAndWake releases the lock, and wakes the queue's goroutine if it sleeps.
func (q *Queue) unlockAndWake() {
	wake := q.asleep
	q.asleep = false
	q.mu.Unlock()
	if wake {
		q.wake <- struct{}{} // it has room: who sleeps has taken the last one
	}
}
