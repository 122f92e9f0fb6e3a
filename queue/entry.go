package queue

import "ivrqueue/operation"

// entry is an operation as its queue holds it: one allocation for the reading side, the writing
// side and what the queue itself needs to know. It does not know its queue.
type entry struct {
	control operation.Control
	next    *entry // while waiting
	media   mediaState
}

func (e *entry) operation() *operation.Operation { return e.control.Operation() }

// mediaState is which calls the media got for an operation, and what it reported.
type mediaState uint8

const (
	startEntered mediaState = 1 << iota
	startReturned
	stopEntered
	stopReturned
	reported  // End or Fail was called, or Start failed
	preempted // ended while the media had it: Released follows when the media is free
	abandoned // its media did not report, or not return, in time
)

func (s mediaState) has(bits mediaState) bool { return s&bits == bits }

// inCallback reports whether a callback for the operation is under way.
func (s mediaState) inCallback() bool {
	return s&(startEntered|startReturned) == startEntered ||
		s&(stopEntered|stopReturned) == stopEntered
}

// releaseValues drops what was attached to an operation whose end was delivered. The media of a
// preempted one may still want it: its Released event follows.
func (e *entry) releaseValues() {
	if !e.media.has(preempted) {
		e.control.ReleaseValues()
	}
}

// list is the waiting operations, in order. Whatever leaves it takes no link along.
type list struct {
	head, tail *entry
	n          int
}

func (l *list) push(e *entry) {
	if l.tail == nil {
		l.head = e
	} else {
		l.tail.next = e
	}
	l.tail = e
	l.n++
}

func (l *list) pop() *entry {
	e := l.head
	if l.head = e.next; l.head == nil {
		l.tail = nil
	}
	e.next = nil
	l.n--
	return e
}

// remove takes e out, wherever it is, and keeps the order of the rest.
func (l *list) remove(e *entry) {
	var before *entry
	for at := l.head; at != e; at = at.next {
		before = at
	}
	if before == nil {
		l.pop()
		return
	}
	if before.next = e.next; before.next == nil {
		l.tail = before
	}
	e.next = nil
	l.n--
}

// drain appends all, which have ended, to s, in order, and empties the list. It returns s, and the
// part of s beyond which nobody waits for an end: to look at an operation a second time, when it
// has left the processor's cache, costs as much as all the rest.
func (l *list) drain(s []*entry) (all, awaited []*entry) {
	first, after := -1, 0
	for i, e := range s { // the running one
		if e.control.HasWaiters() {
			first, after = i, i+1
		}
	}
	for e := l.head; e != nil; {
		if e.control.HasWaiters() {
			if first < 0 {
				first = len(s)
			}
			after = len(s) + 1
		}
		s = append(s, e)
		e.next, e = nil, e.next
	}
	*l = list{}
	return s, s[max(first, 0):after]
}
