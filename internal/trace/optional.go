package trace

import (
	"time"

	"github.com/google/uuid"

	"ivrqueue/queue"
)

// heldWhilePaused: between the return of a Pause and the next call of a Resume nothing starts.
func heldWhilePaused(h *history) {
	for at := range h.items {
		i := &h.items[at]
		if i.What == Returned && i.Method == Pause && !h.resuming(h.called[i.Number], at) {
			h.held(i.At, h.nextResume(at))
		}
	}
}

// resuming reports whether a Resume was under way between two stamps.
func (h *history) resuming(from, to int) bool {
	for at := range to {
		i := &h.items[at]
		if i.What != Called || i.Method != Resume {
			continue
		}
		if returned, ok := h.returned[i.Number]; !ok || returned > from {
			return true
		}
	}
	return false
}

// nextResume returns when a Resume was called next, or zero.
func (h *history) nextResume(after int) time.Time {
	for at := after; at < len(h.items); at++ {
		if i := &h.items[at]; i.What == Called && i.Method == Resume {
			return i.At
		}
	}
	return time.Time{}
}

func (h *history) held(from, to time.Time) {
	for _, l := range h.inOrder {
		started := l.events[queue.Started]
		if started.seq != 0 && started.time.After(from) && (to.IsZero() || started.time.Before(to)) {
			h.violated("%s was started while the queue was paused", l.name())
		}
	}
}

// optionalInTurn: Pause and Resume come in turn, EndLoop once, in a queue that is being sealed; all
// between Start and Stop, one at a time, and none is under way when the queue is done.
func optionalInTurn(h *history) {
	sealed := false
	paused, looped, under := map[uuid.UUID]bool{}, map[uuid.UUID]bool{}, map[uuid.UUID]bool{}
	for at := range h.items {
		i := &h.items[at]
		l := h.life(i.Op)
		switch i.What {
		case Called:
			sealed = sealed || i.Method == Seal || i.Method.closes()
		case OptionalEntered:
			switch {
			case l.startReturned == never || l.startReturned > at:
				h.violated("%v of %s was entered before its Start had returned", i.Method, l.name())
			case l.stopEntered != never && l.stopEntered < at:
				h.violated("%v of %s was entered after its Stop", i.Method, l.name())
			case i.Method == EndLoop && (looped[i.Op] || !sealed):
				h.violated("EndLoop of %s was entered; before: %v, sealed: %v",
					l.name(), looped[i.Op], sealed)
			case i.Method != EndLoop && paused[i.Op] == (i.Method == PauseOperation):
				h.violated("%v of %s was entered out of turn", i.Method, l.name())
			}
			if i.Method == EndLoop {
				looped[i.Op] = true
			} else {
				paused[i.Op] = i.Method == PauseOperation
			}
			under[i.Op] = true
		case OptionalReturned:
			delete(under, i.Op)
		case StopEntered:
			if under[i.Op] {
				h.violated("Stop of %s was entered inside another call of it", l.name())
			}
		case Done:
			for op := range under {
				if !h.blind && !h.life(op).abandoned {
					h.violated("Done came inside a call of %s", name(op))
				}
			}
		default:
		}
	}
}

// preparedOnce: an operation is prepared once, one at a time, and none is under way when the queue
// is done, save for what was given up.
func preparedOnce(h *history) {
	if h.blind {
		return
	}
	seen, under := map[uuid.UUID]bool{}, uuid.Nil
	for at := range h.items {
		switch i := &h.items[at]; i.What {
		case PrepareEntered:
			if seen[i.Op] {
				h.violated("%s was prepared twice", name(i.Op))
			}
			if under != uuid.Nil && !h.life(i.Op).givenUp { // which may be before it is entered
				h.violated("%s was prepared while %s was", name(i.Op), name(under))
			}
			if seen[i.Op] = true; !h.life(i.Op).givenUp {
				under = i.Op
			}
		case PrepareReturned:
			if under == i.Op {
				under = uuid.Nil
			}
			if i.Failed {
				h.violated("the context of %s's Prepare was wrong", name(i.Op))
			}
		case Done:
			if under != uuid.Nil {
				h.violated("Done came while %s was prepared", name(under))
			}
		default:
		}
	}
}
