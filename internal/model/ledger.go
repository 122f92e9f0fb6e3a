package model

import (
	"errors"
	"fmt"
	"slices"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// MaxExplored is how many operations an explored call can have.
const MaxExplored = 12

// ledger is what was seen of a queue from outside: what was asked, what was told, what was called.
// It does not look into the queue, so that it can say whether that is right.
type ledger struct {
	ops     [MaxExplored]seen
	last    Op // accepted last
	started Op // started last
	closed  bool
}

// seen is what was seen of one operation.
type seen struct {
	accepted, started, ended, released bool // was told
	overHead                           bool // ended by somebody else than its media
	receipt                            bool // is in one

	startEntered, startReturned, stopEntered, stopReturned, reported, givenUp bool
}

// plays reports whether the media may still be at it.
func (o *seen) plays() bool {
	through := o.reported && o.startReturned && (!o.stopEntered || o.stopReturned)
	return o.startEntered && !through && !o.givenUp
}

func (l *ledger) op(op Op) *seen { return &l.ops[op-1] }

// judge books a step and says what is wrong with it, by the number of the guarantee.
func (l *ledger) judge(before *Call, s Step, out *Outcome, after *Call) error {
	live := before.seen.live()
	if err := l.events(out); err != nil {
		return err
	}
	if err := l.media(s, out, after); err != nil {
		return err
	}
	if err := l.cancels(live, s, out, after); err != nil {
		return err
	}
	return l.state(before, s, out, after)
}

// live returns what was accepted and not told as ended.
func (l *ledger) live() (all []Op) {
	for op := Op(1); op <= l.last; op++ {
		if l.op(op).accepted && !l.op(op).ended {
			all = append(all, op)
		}
	}
	return all
}

// events: each once, in the order of a life.
func (l *ledger) events(out *Outcome) error {
	for _, e := range out.Events {
		if l.closed {
			return fmt.Errorf("G14: %v of %d after closed", e.Kind, e.Op)
		}
		if e.Kind == queue.Closed {
			l.closed = true
			continue
		}
		o := l.op(e.Op)
		switch {
		case e.Kind == queue.Accepted && !o.accepted:
			o.accepted = true
			l.last = e.Op
		case e.Kind == queue.Started && o.accepted && !o.started && !o.ended:
			if e.Op < l.started {
				return fmt.Errorf("G1: %d was accepted before %d and is started after it", e.Op, l.started)
			}
			o.started = true
			l.started = e.Op
		case e.Kind == queue.Ended && o.accepted && !o.ended:
			o.ended = true
		case e.Kind == queue.Released && o.ended && o.overHead && o.startEntered && !o.released:
			o.released = true
		default:
			return fmt.Errorf("G3: %v of %d, once too often or out of order", e.Kind, e.Op)
		}
	}
	return nil
}

// media: one at a time, and nothing that is dead is started.
func (l *ledger) media(s Step, out *Outcome, after *Call) error {
	switch s.Do {
	case EnterStart:
		for op := Op(1); op <= l.last; op++ {
			if op != s.Op && l.op(op).plays() {
				return fmt.Errorf("G2: the media is told to start %d while it is at %d", s.Op, op)
			}
		}
		if !after.Queue.alive(s.Op) {
			return fmt.Errorf("G5: the media is told to start %d, which has ended", s.Op)
		}
		l.op(s.Op).startEntered = true
	case ReturnStart:
		o := l.op(s.Op)
		o.startReturned = true
		o.reported = o.reported || s.Failed
		if out.StopLate {
			o.stopEntered = true
		}
	case EnterStop:
		l.op(s.Op).stopEntered = true
	case ReturnStop:
		l.op(s.Op).stopReturned = true
	case Report:
		o := l.op(s.Op)
		if (o.reported || o.givenUp) && len(out.Events) > 0 {
			return fmt.Errorf("G13: a late report of %d changed something", s.Op)
		}
		if o.overHead && !o.released && !o.givenUp {
			return fmt.Errorf("G13: the report of %d did not arrive as released", s.Op)
		}
		o.reported = true
	default:
	}
	return nil
}

// cancels: who is ended over their media's heads, and the receipts.
func (l *ledger) cancels(live []Op, s Step, out *Outcome, after *Call) error {
	for _, op := range out.Victims {
		if l.op(op).receipt {
			return fmt.Errorf("G8: %d is in two receipts", op)
		}
		l.op(op).receipt = true
	}
	for _, e := range out.Events {
		if e.Kind != queue.Ended {
			continue
		}
		switch e.Result.Reason {
		case operation.Cancelled, operation.BargedIn, operation.CallEnded:
			l.op(e.Op).overHead = true
			if !l.op(e.Op).receipt {
				return fmt.Errorf("G8: %d was ended and is in no receipt", e.Op)
			}
		case operation.TimedOut:
			l.op(e.Op).overHead = true
		default:
		}
	}
	switch s.Do {
	case CancelAll, Close:
	case Interrupt:
		if now := after.Queue.Live(); out.Err == nil && !slices.Equal(now, []Op{s.Op}) {
			return fmt.Errorf("G7: after an interrupt %v live, not just %d", now, s.Op)
		}
	default:
		return nil
	}
	if s.Do == Close && len(out.Victims) == 0 && len(live) == 0 {
		return nil
	}
	if out.Err == nil && !slices.Equal(live, out.Victims) {
		return fmt.Errorf("G4: %v lived, and the receipt names %v", live, out.Victims)
	}
	return nil
}

// state: what must be so at any time.
func (l *ledger) state(before *Call, s Step, out *Outcome, after *Call) error {
	q := &after.Queue
	if s.Do == TimeOut && q.abandoned > before.Queue.abandoned {
		l.op(before.Queue.slot).givenUp = true
	}
	for op := Op(1); op <= l.last; op++ {
		was, is := before.Queue.Reason(op), q.Reason(op)
		if was != 0 && was != is {
			return fmt.Errorf("G3: %d was %s and is %s", op, was.String(), is.String())
		}
		if l.op(op).ended != (is != 0) {
			return fmt.Errorf("G3: %d has ended without being told, or was told without", op)
		}
		if q.Status(op) == operation.Running && op != q.slot {
			return fmt.Errorf("G2: %d runs without the media", op)
		}
	}
	switch {
	case out.Err != nil && (len(out.Events) > 0 || len(out.Victims) > 0):
		return errors.New("G16: refused, and yet something changed")
	case q.slot == 0 && q.pending > 0 && after.Hand == 0:
		return fmt.Errorf("G12: %d waits and nothing has the media", q.waiting[0])
	case before.Queue.sealed && out.Err == nil && (s.Do == Enqueue || s.Do == Interrupt):
		return fmt.Errorf("G14: %d was accepted though sealed", s.Op)
	case q.closed && len(q.Live()) > 0:
		return fmt.Errorf("G14: closed, and %v live", q.Live())
	case q.Stopping() != 0 && q.timer == NoTimer && (s.Do == Close || !l.op(q.slot).reported):
		return fmt.Errorf("G12: the media is asked to stop %d, and nothing gives it up", q.slot)
	}
	return nil
}
