package hand

import (
	"time"

	"ivrqueue/operation"
)

// run is the queue's goroutine: it does the operations, and calls the observer between them.
func (q *Queue) run() {
	defer close(q.gone)
	q.mu.Lock()
	for {
		o := q.next()
		if o == nil && len(q.undelivered) == 0 {
			if q.closed {
				q.mu.Unlock()
				return
			}
			q.asleep = true
			q.mu.Unlock()
			<-q.wake
			q.mu.Lock()
			continue
		}
		events := q.nextBatch()
		q.mu.Unlock()
		q.deliver(events)
		if o != nil {
			why := q.work(o)
			q.mu.Lock()
			if q.running = nil; !o.status.Terminal() {
				q.end(o, why.Status(), why, time.Now())
			}
			continue
		}
		q.mu.Lock()
	}
}

// next starts the operation whose turn it is. The lock is held.
func (q *Queue) next() *Op {
	if q.waiting.len() == 0 {
		return nil
	}
	o := q.waiting.pop()
	q.running = o
	o.status, o.times.Started = operation.Running, time.Now()
	q.commit(Started, o)
	return o
}
