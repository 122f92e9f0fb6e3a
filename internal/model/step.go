package model

import (
	"fmt"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Do says what a step does.
type Do uint8

// The steps: what callers do, what happens at the media, and time.
const (
	Enqueue   Do = iota + 1
	Interrupt    // or an Enqueue of what barges in
	CancelAll
	Cancel // the one with this ID
	Seal
	Close // with Result.Reason, and Result.Err as its cause

	EnterStart  // the media is told to start Op
	ReturnStart // its Start has returned; if Failed, with Result
	EnterStop   // it is told to stop Op
	ReturnStop  // its Stop has returned
	Report      // it tells the end of Op
	Progress    // it tells how far it has come, Result.Position
	TimeOut     // the armed timer goes off

	mark // a broken queue marks running what it has taken from the line
)

var doNames = [...]string{
	Enqueue: "Enqueue", Interrupt: "Interrupt", CancelAll: "CancelAll", Cancel: "Cancel", Seal: "Seal",
	Close: "Close", EnterStart: "Start entered", ReturnStart: "Start returned",
	EnterStop: "Stop entered", ReturnStop: "Stop returned", Report: "End", Progress: "Progress",
	TimeOut: "time out", mark: "mark",
}

func (d Do) String() string { return doNames[d] }

// Step is one step, with what it needs.
type Step struct {
	Do     Do
	Op     Op // of Enqueue and Interrupt: the new one; of what happens at the media: whose
	ID     Op // of Enqueue and Interrupt: whose id the new one has, zero for its own; of Cancel
	Failed bool
	Result operation.Result
}

func (s Step) String() string {
	text := s.Do.String()
	if s.Op != 0 {
		text += fmt.Sprintf(" %d", s.Op)
	}
	if s.ID != 0 {
		text += fmt.Sprintf(" id %d", s.ID)
	}
	if s.Failed {
		text += " failed"
	}
	if s.Result.Reason != 0 {
		text += " " + s.Result.Reason.String()
	}
	return text
}

// Outcome is what a step tells.
type Outcome struct {
	Err      error // queue.ErrClosed and its like: nothing has changed
	Victims  []Op  // of the receipt, or the one that Cancel returns
	Events   []Event
	StopLate bool // the media is told to stop an operation that was given up inside Start
}

// Event is what an observer is told.
type Event struct {
	Kind   queue.EventKind
	Op     Op
	Result operation.Result
}

func (o *Outcome) tell(k queue.EventKind, op Op) {
	o.Events = append(o.Events, Event{Kind: k, Op: op})
}

func (o *Outcome) tellResult(k queue.EventKind, op Op, r operation.Result) {
	o.Events = append(o.Events, Event{k, op, r})
}

// Apply takes a step. The queue it returns is the one after it; q is what it was.
func (q Queue) Apply(s Step) (Queue, Outcome) {
	var out Outcome
	switch s.Do {
	case Enqueue, Interrupt:
		out.Err = q.accept(s, &out)
	case CancelAll:
		q.endAll(operation.Cancelled, &out)
	case Cancel:
		out.Err = q.cancel(s.ID, &out)
	case Seal:
		q.sealed = true
	case Close:
		q.close(s.Result, &out)
	case Progress:
		if s.Op == q.slot {
			q.progress = int64(s.Result.Position)
		}
	case TimeOut:
		q.timeOut(&out)
	default:
		q.atMedia(s, &out)
	}
	q.settle(&out)
	return q, out
}

func (q *Queue) position() time.Duration { return time.Duration(q.progress) }
