package queue

import (
	"fmt"
	"reflect"
	"time"

	"ivrqueue/operation"
)

// Observer gets what happens in a queue: every event once, in order, one at a time, with no
// lock held. By default it is called on a goroutine of the queue's own, so it may block, take any
// lock, and call everything of the queue that does not wait. An event on which it panics or exits
// counts as delivered; the next ones follow.
type Observer interface {
	Observe(e Event)
}

// ObserverFunc makes an Observer of a function.
type ObserverFunc func(Event)

// Observe calls f.
func (f ObserverFunc) Observe(e Event) { f(e) }

// Event is one thing that happened in a queue.
type Event struct {
	// Queue is the one that it happened in. An observer of several queues tells them apart by it.
	Queue *Queue

	// Seq numbers the events of a call in commit order: 1, 2, 3, without gaps.
	Seq uint64

	Kind EventKind

	// Time is when it happened. Events of one commit have the same time.
	Time time.Time

	// Operation is what it happened to; nil for Closed. It may show more than the event tells: the
	// event is the past, the operation the present.
	Operation *operation.Operation

	// Result comes with Ended, Released and Closed; see there.
	Result operation.Result
}

// CallID returns the id of the call, as [New] was given it: a name, which another queue may have too.
func (e Event) CallID() string {
	if e.Queue == nil {
		return ""
	}
	return e.Queue.CallID()
}

// EventKind says what happened.
type EventKind uint8

// The kinds of events.
const (
	// Accepted: the operation is in the queue.
	Accepted EventKind = iota + 1

	// Started: it is the one that has the media; Media.Start follows, unless it is ended first.
	Started

	// Ended: it is completed or failed. Exactly one per operation. The Result is the operation's;
	// for one that was ended while running its Position is the last progress.
	Ended

	// Released: the media of an operation that was preempted has reported. The Result is its report:
	// recording, position, and its own reason; or the reason is Abandoned, since no report came in
	// time. There is one at most, and only if Media.Start was called for the operation.
	Released

	// Closed: the last event. The reason of the Result says why.
	Closed
)

var eventKindNames = [...]string{
	Accepted: "accepted", Started: "started", Ended: "ended", Released: "released", Closed: "closed",
}

// String returns the kind in lower case.
func (k EventKind) String() string {
	if k == 0 || int(k) >= len(eventKindNames) {
		return fmt.Sprintf("EventKind(%d)", uint8(k))
	}
	return eventKindNames[k]
}

// ObservedBy reports whether o is one of the queue's observers, so that one that was forgotten can
// be told. A value of a type that can't be compared, such as an ObserverFunc, is never found.
func (q *Queue) ObservedBy(o Observer) bool {
	if o == nil || !reflect.ValueOf(o).Comparable() {
		return false
	}
	q.lock(byCaller)
	observers := q.machine.config.observers
	q.unlock(byCaller)
	for _, other := range observers { // without the lock: to compare may panic
		if reflect.ValueOf(other).Comparable() && other == o {
			return true
		}
	}
	return false
}
