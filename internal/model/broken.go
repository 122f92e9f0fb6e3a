package model

import (
	"slices"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Broken is a way of getting it wrong that is easy to fall into. The explorer must find each of
// them, by a few moves: that is what its finding nothing else is worth.
type Broken struct {
	Name  string
	Take  Take
	Rule  string // the guarantee that does not hold
	Moves int    // of the shortest way to see it
}

// AllBroken returns them.
func AllBroken() []Broken {
	return []Broken{
		{"what waits is taken in reverse order", lastInFirstOut, "G4", 4},
		{"what is next is popped under one lock and marked under another", popThenMark, "G4", 4},
		{"the media is free as soon as its operation is cancelled", freedByCancel, "G13", 4},
		{"what was cancelled before its start is started", startsTheDead, "G5", 3},
		{"a cancel forgets the one that runs", forgetsRunning, "G4", 2},
		{"a receipt misses one", receiptMissesOne, "G8", 2},
		{"a report counts for whoever has the media", reportsForAnyone, "G13", 5},
		{"a sealed queue accepts", acceptsSealed, "G14", 2},
		{"a close gives the media no time limit", closeWithoutLimit, "G12", 3},
		{"an interrupt keeps what waits", interruptKeepsWaiting, "G7", 3},
		{"the one that runs is ended twice", endsTwice, "G3", 4},
	}
}

func lastInFirstOut(c Call, s Step) (Call, Outcome) {
	c, out := Right(c, s)
	if q := &c.Queue; s.Do == Enqueue && q.pending > 1 && q.waiting[q.pending-1] == s.Op {
		copy(q.waiting[1:q.pending], q.waiting[:])
		q.waiting[0] = s.Op
	}
	return c, out
}

func popThenMark(c Call, s Step) (Call, Outcome) {
	if s.Do == mark {
		var out Outcome
		c.Hand = 0
		c.Queue.slot, c.Queue.media = s.Op, media{}
		c.Queue.life(s.Op).started = true
		out.tell(queue.Started, s.Op)
		return c, out
	}
	c, out := Right(c, s)
	started := slices.IndexFunc(out.Events, func(e Event) bool { return e.Kind == queue.Started })
	if started < 0 || out.Events[started].Op == s.Op || c.Hand != 0 {
		return c, out
	}
	c.Hand = c.Queue.slot
	c.Queue.life(c.Hand).started = false
	c.Queue.free()
	out.Events = slices.Delete(out.Events, started, started+1)
	return c, out
}

func freedByCancel(c Call, s Step) (Call, Outcome) {
	c, out := Right(c, s)
	if s.Do == CancelAll && c.Queue.Stopping() != 0 {
		c.Queue.free()
		c.Queue.settle(&out)
	}
	return c, out
}

func startsTheDead(c Call, s Step) (Call, Outcome) {
	before := c.Queue
	c, out := Right(c, s)
	if s.Do == CancelAll && before.slot != 0 && c.Queue.slot == 0 {
		c.Queue.slot, c.Queue.timer = before.slot, StopTimer
	}
	return c, out
}

func forgetsRunning(c Call, s Step) (Call, Outcome) {
	running := c.Queue.Running()
	if s.Do != CancelAll || running == 0 {
		return Right(c, s)
	}
	var out Outcome
	out.Victims = c.Queue.Waiting()
	for _, op := range out.Victims {
		c.Queue.end(op, operation.Cancelled, &out)
	}
	return c, out
}

func receiptMissesOne(c Call, s Step) (Call, Outcome) {
	c, out := Right(c, s)
	if n := len(out.Victims); n > 0 && s.Do == CancelAll {
		out.Victims = out.Victims[:n-1]
	}
	return c, out
}

func reportsForAnyone(c Call, s Step) (Call, Outcome) {
	if s.Do == Report && c.Queue.Running() != 0 {
		s.Op = c.Queue.slot
	}
	return Right(c, s)
}

func acceptsSealed(c Call, s Step) (Call, Outcome) {
	if s.Do != Enqueue || !c.Queue.sealed {
		return Right(c, s)
	}
	c.Queue.sealed = false
	c, out := Right(c, s)
	c.Queue.sealed = true
	return c, out
}

func closeWithoutLimit(c Call, s Step) (Call, Outcome) {
	c, out := Right(c, s)
	if s.Do == Close {
		c.Queue.timer = NoTimer
	}
	return c, out
}

func interruptKeepsWaiting(c Call, s Step) (Call, Outcome) {
	if s.Do != Interrupt || c.Queue.sealed || c.Queue.pending == 0 {
		return Right(c, s)
	}
	kept, n := c.Queue.waiting, c.Queue.pending
	c.Queue.waiting, c.Queue.pending = [Max]Op{}, 0
	c, out := Right(c, s)
	for _, op := range kept[:n] {
		c.Queue.waiting[c.Queue.pending] = op
		c.Queue.pending++
	}
	return c, out
}

func endsTwice(c Call, s Step) (Call, Outcome) {
	stopping := c.Queue.Stopping()
	if s.Do == Report && s.Op == stopping && !c.Queue.life(s.Op).reported {
		c.Queue.life(s.Op).end = 0
	}
	return Right(c, s)
}
