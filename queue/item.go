package queue

import (
	"time"

	"ivrqueue/operation"
)

// item is an operation as its queue holds it: one allocation for the reading side, the writing
// side and what the queue itself needs to know. It does not know its queue.
type item struct {
	control operation.Control
	next    *item // while waiting
	media   mediaState
	timer   *time.Timer // its stop or run timeout, if armed
}

// mediaState is what the media was told of a task, and what it told. Guarded by the queue's mutex.
type mediaState uint8

const (
	startEntered mediaState = 1 << iota
	startReturned
	stopEntered
	stopReturned
	reported  // End or Fail was called, or Start failed
	overruled // ended over its head after Start was entered: Released is told when it is free
	givenUp
	stopArmed // its stop timeout is armed, or was
)

func (m mediaState) has(s mediaState) bool { return m&s == s }

// inCallback reports whether a callback for the task is on its way.
func (m mediaState) inCallback() bool {
	return m&(startEntered|startReturned) == startEntered ||
		m&(stopEntered|stopReturned) == stopEntered
}

// list is the waiting operations, in order. Whoever leaves it takes no link along.
type list struct {
	head, tail *item
	n          int
}

func (l *list) push(it *item) {
	if l.tail == nil {
		l.head = it
	} else {
		l.tail.next = it
	}
	l.tail = it
	l.n++
}

func (l *list) pop() *item {
	it := l.head
	if l.head = it.next; l.head == nil {
		l.tail = nil
	}
	it.next = nil
	l.n--
	return it
}

// remove takes it out, wherever it is, and keeps the order of the rest.
func (l *list) remove(it *item) {
	var before *item
	for at := l.head; at != it; at = at.next {
		before = at
	}
	if before == nil {
		l.pop()
		return
	}
	if before.next = it.next; before.next == nil {
		l.tail = before
	}
	it.next = nil
	l.n--
}

// unshift puts it before all others.
func (l *list) unshift(it *item) {
	if it.next = l.head; l.tail == nil {
		l.tail = it
	}
	l.head = it
	l.n++
}

// drain appends all, which have ended, to s, in order, and leaves the list empty. It returns s, and
// the part of it beyond which nobody waits for an end: to look at an operation a second time, when
// it has left the processor's cache, costs as much as all the rest.
func (l *list) drain(s []*item) (all, awaited []*item) {
	first, after := -1, 0
	for it := l.head; it != nil; {
		if it.control.Awaited() {
			if first < 0 {
				first = len(s)
			}
			after = len(s) + 1
		}
		s = append(s, it)
		it.next, it = nil, it.next
	}
	*l = list{}
	return s, s[max(first, 0):after]
}
