package bench

import (
	"strings"

	"github.com/google/uuid"

	"ivrqueue/operation"
)

// Contestant is one way to have the operations of a call done one after the other.
type Contestant struct {
	Name   string
	How    string // how it is built, for the report
	Claims Claims
	Most   int // how many calls at once it can sensibly be given; 0: any number
	Open   func(Setting) Call
}

// Lacks says, in words, what of the contract the contestant does not do.
func (c *Contestant) Lacks() string { return (all &^ c.Claims).String() }

// Setting is what a call is opened for.
type Setting struct {
	Use Use

	// Observe gets the events of the call if the contestant has any. Where it is nil, as in every
	// benchmark, an observer gets them that does nothing with them.
	Observe func(Event)
}

// Use is what the operations of a call are like.
type Use uint8

const (
	// Trip means: one after the other, each made when the one before has ended.
	Trip Use = iota
	// Stream means: many at once, each over as soon as it has started.
	Stream
	// Held means: they last until they are cancelled, and there is no observer.
	Held
	// Watched means: as Held, with an observer.
	Watched
)

// Event is an event as a contestant delivers it.
type Event struct {
	Seq    uint64
	What   string // "accepted", "started", "ended"
	Op     Op
	Reason operation.Reason // of "ended"
}

// Call is a call that was opened.
type Call interface {
	// Do has one operation done, and returns when it has ended and whoever waits for that knows.
	Do(w *Work)

	// Submit has one done and does not wait for it, but for room. It returns nil if the contestant
	// does not know its operations.
	Submit(w *Work) Op

	// Close ends the call, and returns when nothing of it is left.
	Close()
}

// Canceller is a call that can end everything it has, at once.
type Canceller interface {
	Call

	// Hold accepts an operation that lasts until it is cancelled. If it is awaited, the channel that
	// is closed with its end is there already.
	Hold(w *Work, awaited bool) Op

	// CancelAll ends all, and returns how many.
	CancelAll() int

	// Cancelled returns those that the last CancelAll ended, by its receipt.
	Cancelled() []Op

	// Settle waits until the media has the first operation that is held, or until it is free.
	Settle()
}

// Op is an operation that was accepted, as its contestant knows it.
type Op interface {
	ID() uuid.UUID
	Status() operation.Status
	Times() operation.Times // zero without the claim
}

// Claims is a set of things that a contestant does of what a call's queue of media operations must.
type Claims uint16

const (
	// Orders means: operations run one at a time, in the order they were accepted.
	Orders Claims = 1 << iota
	// Queues means: accepting one while another runs does not block.
	Queues
	// IDs means: each operation has a random UUID.
	IDs
	// States means: each has a state that anybody can read.
	States
	// Times means: it knows when it was accepted, started and ended.
	Times
	// Events means: an observer gets all that, in order, with numbers.
	Events
	// Cancels means: all that runs and waits can be ended at one instant, for every reader.
	Cancels
	// Receipts means: a cancel says whom it ended.
	Receipts
	// Isolates means: an observer or media that blocks holds up no caller, and no cancel.
	Isolates
	// Sleeps means: an idle call holds no goroutine.
	Sleeps

	all = Sleeps<<1 - 1
)

var claimNames = [...]string{
	"one at a time, in order", "accepting without blocking", "ids", "states", "times",
	"ordered events", "a cancel of all at one instant", "receipts", "isolation of callbacks",
	"idle calls without goroutines",
}

// Has reports whether all of c are among the claims.
func (s Claims) Has(c Claims) bool { return s&c == c }

// String lists the claims in words.
func (s Claims) String() string {
	var names []string
	for i, name := range claimNames {
		if s.Has(1 << i) {
			names = append(names, name)
		}
	}
	if names == nil {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// Contestants returns all of them, ours first and the baseline last.
func Contestants() []*Contestant {
	return []*Contestant{
		Inline, Default, Blocking, Chan, Hand, Pond, WorkerPool, Ants, ProtoActor, LoopLab, Baseline,
	}
}
