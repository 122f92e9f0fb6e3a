package queue

import (
	"ivrqueue/operation"
	"ivrqueue/tone"
)

// entry is an operation as its queue holds it: one allocation for the reading side, the writing
// side and what the queue itself needs to know. It does not know its queue.
type entry struct {
	control   operation.Control
	next      *entry // while waiting
	media     mediaState
	optional  optionalState
	protected bool
	stopTones tone.Set // that end it while it runs
}

func (e *entry) operation() *operation.Operation { return e.control.Operation() }

// mediaState is which calls the media got for an operation, and what it reported.
type mediaState uint8

const (
	startEntered mediaState = 1 << iota
	startReturned
	stopEntered
	stopReturned
	reported   // End or Fail was called, or Start failed
	preempted  // ended while the media had it: Released follows when the media is free
	abandoned  // its media did not report, or not return, in time; a report that comes later is Late
	inOptional // one of the calls between Start and Stop is under way
)

func (s mediaState) has(bits mediaState) bool { return s&bits == bits }

// inCallback reports whether a callback for the operation is under way, save for Prepare, which
// comes before and holds up nothing.
func (s mediaState) inCallback() bool {
	return s&(startEntered|startReturned) == startEntered ||
		s&(stopEntered|stopReturned) == stopEntered || s&inOptional != 0
}

// optionalState is which calls the operation needs that not all media has, and which it got.
type optionalState uint8

const (
	wantsPause optionalState = 1 << iota // it is to be paused, or stay so
	gotPause                             // it was called last, and Resume not since
	wantsEndLoop
	gotEndLoop
	gotPrepare // it was prepared, while it waited
)

func (s optionalState) has(bits optionalState) bool { return s&bits == bits }

// dueOptional is the call between Start and Stop that is needed and was not made, by the state. It
// is a table, so that machine.due is inlined: a dispatcher has little stack.
var dueOptional = tableOfDue()

func tableOfDue() (due [1 << 4]mediaCall) {
	for i := range due {
		switch s := optionalState(i); { //nolint:gosec // at most 15
		case s&(wantsPause|gotPause) == wantsPause:
			due[s] = callPause
		case s&(wantsPause|gotPause) == gotPause:
			due[s] = callResume
		case s&(wantsEndLoop|gotEndLoop) == wantsEndLoop:
			due[s] = callEndLoop
		default:
		}
	}
	return due
}

// enter notes that the call is being made.
func (s optionalState) enter(c mediaCall) optionalState {
	if c == callEndLoop {
		return s | gotEndLoop
	}
	return s ^ gotPause
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

// pushAhead puts e before all others.
func (l *list) pushAhead(e *entry) {
	if e.next = l.head; e.next == nil {
		l.tail = e
	}
	l.head = e
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

// dropEnded takes out those that have ended, and keeps the order of the rest.
func (l *list) dropEnded() {
	rest := *l
	*l = list{}
	for e := rest.head; e != nil; e = rest.head {
		rest.head, e.next = e.next, nil
		if e.control.Live() {
			l.push(e)
		}
	}
}

// drain appends all, which have ended, to s, in order, and keeps none, or those that are protected.
// It returns s, and the part of s beyond which no end is waited for: to look at an operation a
// second time, when it has left the processor's cache, costs as much as all the rest.
func (l *list) drain(s []*entry, spare bool) (all, awaited []*entry) {
	first, after := -1, 0
	for i, e := range s { // the running one
		if e.control.HasWaiters() {
			first, after = i, i+1
		}
	}
	e := l.head
	*l = list{}
	for e != nil {
		if spare && e.protected {
			spared := e
			spared.next, e = nil, e.next
			l.push(spared)
			continue
		}
		if e.control.HasWaiters() {
			if first < 0 {
				first = len(s)
			}
			after = len(s) + 1
		}
		s = append(s, e)
		e.next, e = nil, e.next
	}
	return s, s[max(first, 0):after]
}
