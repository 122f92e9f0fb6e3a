package model

import (
	"ivrqueue/operation"
)

// Max is how many operations a model can hold in its life.
const Max = 40

// Op numbers an operation, from 1; zero is none. Whoever makes the steps gives the numbers.
type Op uint8

// Config is what of a queue's options the model knows.
type Config struct {
	MaxPending int  // zero for no limit
	RunTimeout bool // there is one
}

// Queue is a queue at one instant. It is a value: == compares two, and a copy is a queue of its
// own.
type Queue struct {
	config Config

	// The operation that has the media, what that was told of it, and what is armed to take it away.
	slot     Op
	media    media
	timer    Timer
	progress int64

	waiting [Max]Op // the first waits longest
	pending uint8   // how many do
	lives   [Max]life

	sealed, closed bool
	parted         bool // Closed was told
	closing        operation.Reason
	cause          error

	abandoned, late uint8
}

// life is what is known of one operation.
type life struct {
	id       Op // whose id it has; its own, as a rule
	accepted bool
	started  bool
	reported bool             // its media has told its end, be it too late
	end      operation.Reason // zero while it lives
}

// New returns an empty queue.
func New(c Config) Queue { return Queue{config: c} }

func (q *Queue) life(op Op) *life { return &q.lives[op-1] }

func (q *Queue) alive(op Op) bool {
	return op != 0 && q.life(op).accepted && q.life(op).end == 0
}

// Status returns what a reader of the operation sees; zero if it was never accepted.
func (q *Queue) Status(op Op) operation.Status {
	l := q.life(op)
	switch {
	case !l.accepted:
		return 0
	case l.end != 0:
		return l.end.Status()
	case l.started:
		return operation.Running
	default:
		return operation.NotStarted
	}
}

// Reason returns why the operation ended; zero if it has not.
func (q *Queue) Reason(op Op) operation.Reason { return q.life(op).end }

// Slot returns the operation that has the media, or zero.
func (q *Queue) Slot() Op { return q.slot }

// Running returns the operation that has the media and lives, or zero.
func (q *Queue) Running() Op {
	if q.alive(q.slot) {
		return q.slot
	}
	return 0
}

// Stopping returns the operation that has ended while its media is not through, or zero.
func (q *Queue) Stopping() Op {
	if q.alive(q.slot) {
		return 0
	}
	return q.slot
}

// Waiting returns the operations that wait, in order.
func (q *Queue) Waiting() []Op { return append([]Op(nil), q.waiting[:q.pending]...) }

// Live returns the operations that have not ended, in order, the running one first.
func (q *Queue) Live() (all []Op) {
	if op := q.Running(); op != 0 {
		all = append(all, op)
	}
	return append(all, q.waiting[:q.pending]...)
}

// Find returns the live operation with this id, or zero.
func (q *Queue) Find(id Op) Op {
	for _, op := range q.Live() {
		if q.life(op).id == id {
			return op
		}
	}
	return 0
}

// Sealed reports whether the queue accepts nothing more.
func (q *Queue) Sealed() bool { return q.sealed }

// Closed reports whether the queue is closed.
func (q *Queue) Closed() bool { return q.closed }

// Done reports whether the queue is closed and its media through: nothing can happen any more.
func (q *Queue) Done() bool { return q.parted }

// Abandoned returns how many tasks were given up.
func (q *Queue) Abandoned() int { return int(q.abandoned) }

// Late returns how many reports came twice or too late.
func (q *Queue) Late() int { return int(q.late) }

// Timer returns what is armed.
func (q *Queue) Timer() Timer { return q.timer }

// Timer says what will end or free the operation that has the media if nothing else does.
type Timer uint8

// The timers of a queue, of which one is armed at a time.
const (
	NoTimer   Timer = iota
	StopTimer       // its media is given up
	RunTimer        // it is ended, or its media given up if it has ended
)
