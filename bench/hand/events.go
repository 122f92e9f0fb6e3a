package hand

import "ivrqueue/operation"

// Event is one thing that happened in a queue.
type Event struct {
	Seq    uint64 // 1, 2, 3, without gaps
	Kind   Kind
	Op     *Op
	Reason operation.Reason // of Ended
}

// Kind says what happened.
type Kind uint8

// The kinds of events.
const (
	Accepted Kind = iota + 1
	Started
	Ended
)

// String returns the kind in lower case.
func (k Kind) String() string { return [...]string{"", "accepted", "started", "ended"}[k] }

// commit numbers an event and keeps it until the queue's goroutine delivers it. The lock is held.
func (q *Queue) commit(k Kind, o *Op) {
	q.seq++
	q.undelivered = append(q.undelivered, Event{q.seq, k, o, o.reason})
}

// keepEvents is how large the two buffers of events may stay.
const keepEvents = 64

// nextBatch returns what is to be delivered, and lends the other buffer meanwhile. The lock is
// held.
func (q *Queue) nextBatch() []Event {
	events := q.undelivered
	q.undelivered, q.spare = q.spare, nil
	return events
}

// deliver calls the observer, without the lock, and gives the buffer back.
func (q *Queue) deliver(events []Event) {
	for _, e := range events {
		q.observe(e)
	}
	if cap(events) > keepEvents {
		return // and spare stays nil, until the next buffer is grown
	}
	clear(events)
	q.spare = events[:0] // only this goroutine takes and gives
}
