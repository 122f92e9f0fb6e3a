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

	result *operation.Result    // of Released, Late and Closed; an Ended has its operation's
	by     *operation.Operation // of an Ended
}

// Result returns how it went, for Ended, Released, Late and Closed; see there. Nothing changes it.
// It is a method, since most events have none and an event is copied often.
func (e Event) Result() operation.Result {
	if e.result != nil {
		return *e.result
	}
	var r operation.Result
	if e.Kind == Ended {
		r, _ = e.Operation.Result()
	}
	return r
}

// CallID returns the id of the call, as [New] was given it: a name, which another queue may have
// too.
func (e Event) CallID() string {
	if e.Queue == nil {
		return ""
	}
	return e.Queue.CallID()
}

// Cause returns who preempted the operation of an Ended event, and whether that
// is known: [operation.Operation.Cause]. Other events have none.
func (e Event) Cause() (operation.Cause, bool) {
	if e.Kind != Ended {
		return operation.Cause{}, false
	}
	return e.Operation.Cause()
}

// By returns the operation that preempted the one of an Ended event: that of [Queue.Interrupt] or
// of a request that barged in, whose own events follow, or that of a CancelAll, which has none. It
// is for what is attached to it, such as a trace; who keeps it keeps that operation. It is nil for
// other ends, and for other events.
func (e Event) By() *operation.Operation { return e.by }

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

	// Released: the media of an operation that was preempted has reported. The Result is what it
	// reported: recording, position, and its own reason; or the reason is Abandoned, and the media did
	// not report in time. It comes once, and only if Media.Start was called for the operation.
	Released

	// Closed: the call's last event, save for Late. The reason of the Result says why.
	Closed

	// Late: media that was abandoned has reported after all: the voicemail of a caller who hung
	// up, whose upload took too long. The Result is what it reported, as with Released. It
	// follows the Released with Abandoned, at most once, whenever the report comes; so it is the
	// one event that may follow Closed, and the queue's Done. An observer that is not inline gets
	// it then on a goroutine that exists for it alone. The operation's Value, and the values of
	// its context, are gone by then.
	Late
)

var eventKindNames = [...]string{
	Accepted: "accepted", Started: "started", Ended: "ended", Released: "released",
	Closed: "closed", Late: "late",
}

// String returns the kind in lower case.
func (k EventKind) String() string {
	if k == 0 || int(k) >= len(eventKindNames) {
		return fmt.Sprintf("EventKind(%d)", uint8(k))
	}
	return eventKindNames[k]
}

// ObservedBy reports whether o is one of the queue's observers, for a check that none was
// forgotten. A value of a type that can't be compared, such as an ObserverFunc, is never found.
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
