package model

import (
	"slices"

	"ivrqueue/operation"
)

// Budget is how much may happen in a call that is explored.
type Budget struct {
	Enqueues, Interrupts, CancelAlls, Cancels, Seals, Closes int8

	TimeOuts int8
	Late     int8 // reports that come twice, or after the media was given up
}

// Call is a call that is explored: a queue, what was seen of it so far, and what may still happen.
type Call struct {
	Queue Queue
	Hand  Op // taken from the line and not yet marked running: only a broken queue has it

	seen ledger
	left Budget
}

// Take is a way to take a step, which may be a broken one.
type Take func(Call, Step) (Call, Outcome)

// Right takes a step as it must be taken.
func Right(c Call, s Step) (Call, Outcome) {
	var out Outcome
	c.Queue, out = c.Queue.Apply(s)
	return c, out
}

// ExploreCall explores every order in which the things of a budget can happen, with everything that
// the media may do about them, and judges each step by what the queue guarantees.
func ExploreCall(b Budget, take Take) Explored[Step] {
	return Explore(System[Call, Step, string]{
		First: Call{Queue: New(Config{}), left: b},
		Moves: Call.moves,
		Take:  func(c Call, s Step) (Call, error) { return c.take(s, take) },
		Key:   Call.key,
	})
}

// take takes a step and has the ledger judge it.
func (c Call) take(s Step, take Take) (Call, error) {
	before := c
	c.spend(s)
	c, out := take(c, s)
	err := c.seen.judge(&before, s, &out, &c)
	return c, err
}

// spend takes a step off the budget.
func (c *Call) spend(s Step) {
	switch s.Do {
	case Enqueue:
		c.left.Enqueues--
	case Interrupt:
		c.left.Interrupts--
	case CancelAll:
		c.left.CancelAlls--
	case Cancel:
		c.left.Cancels--
	case Seal:
		c.left.Seals--
	case Close:
		c.left.Closes--
	case TimeOut:
		c.left.TimeOuts--
	case Report:
		if o := c.seen.op(s.Op); o.reported || o.givenUp {
			c.left.Late--
		}
	default:
	}
}

// moves returns the steps that can be next. Operations are numbered in the order in which they are
// accepted: which of the callers it was makes no difference.
func (c Call) moves() (all []Step) {
	if c.left.Enqueues > 0 {
		all = append(all, Step{Do: Enqueue, Op: c.seen.last + 1})
	}
	if c.left.Interrupts > 0 {
		all = append(all, Step{Do: Interrupt, Op: c.seen.last + 1})
	}
	if c.left.CancelAlls > 0 {
		all = append(all, Step{Do: CancelAll})
	}
	if c.left.Cancels > 0 {
		for op := Op(1); op <= c.seen.last; op++ {
			if c.Queue.alive(op) {
				all = append(all, Step{Do: Cancel, ID: op})
			}
		}
	}
	if c.left.Seals > 0 {
		all = append(all, Step{Do: Seal})
	}
	if c.left.Closes > 0 {
		all = append(all, Step{Do: Close, Result: operation.Result{Reason: operation.CallEnded}})
	}
	if due, ok := c.Queue.Due(); ok {
		all = append(all, due)
	}
	if c.Hand != 0 {
		all = append(all, Step{Do: mark, Op: c.Hand})
	}
	if c.Queue.timer != NoTimer && c.left.TimeOuts > 0 {
		all = append(all, Step{Do: TimeOut})
	}
	for op := Op(1); op <= c.seen.last; op++ {
		all = append(all, c.atMedia(op)...)
	}
	return all
}

// atMedia returns what can be next at the media for one operation.
func (c *Call) atMedia(op Op) (all []Step) {
	o := c.seen.op(op)
	if !o.startEntered {
		return nil
	}
	if !o.startReturned {
		failed := Step{Do: ReturnStart, Op: op, Failed: true}
		failed.Result.Reason = operation.Unspecified
		all = append(all, Step{Do: ReturnStart, Op: op}, failed)
	}
	if o.stopEntered && !o.stopReturned {
		all = append(all, Step{Do: ReturnStop, Op: op})
	}
	if late := o.reported || o.givenUp; !late || c.left.Late > 0 {
		all = append(all, Step{Do: Report, Op: op})
	}
	return all
}

// key packs what the future depends on. An operation that is through, with queue and media, is left
// out, and the others are counted anew: calls that differ only in what is past are one.
func (c Call) key() string {
	q := &c.Queue
	b := make([]byte, 0, 48)
	for _, left := range []int8{
		c.left.Enqueues, c.left.Interrupts, c.left.CancelAlls, c.left.Cancels, c.left.Seals,
		c.left.Closes, c.left.TimeOuts, c.left.Late,
	} {
		b = append(b, byte(left)) //nolint:gosec // never negative
	}
	m := q.media
	b = append(b, byte(q.timer), q.pending, bits(q.sealed, q.closed, q.parted),
		bits(m.startEntered, m.startReturned, m.stopEntered, m.stopReturned, m.overruled))
	for op := Op(1); op <= c.seen.last; op++ {
		o := c.seen.op(op)
		place := byte(1 + slices.Index(q.waiting[:q.pending], op))
		if c.through(op) && place == 0 {
			continue
		}
		b = append(b, place, bits(op == q.slot, op == c.Hand, q.alive(op), op < c.seen.started),
			bits(o.accepted, o.started, o.ended, o.released, o.overHead, o.receipt, o.givenUp, o.reported),
			bits(o.startEntered, o.startReturned, o.stopEntered, o.stopReturned))
	}
	return string(b)
}

// through reports whether nothing can happen to the operation any more, nor be told by its media.
func (c *Call) through(op Op) bool {
	o := c.seen.op(op)
	inside := o.startEntered && !o.startReturned || o.stopEntered && !o.stopReturned
	tells := o.startEntered && (c.left.Late > 0 || !o.reported && !o.givenUp)
	return o.ended && op != c.Queue.slot && op != c.Hand && !inside && !tells
}

func bits(all ...bool) (b byte) {
	for i, set := range all {
		if set {
			b |= 1 << i
		}
	}
	return b
}
