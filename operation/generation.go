package operation

import (
	"sync/atomic"
	"time"
)

// Generation is what the operations of a queue that are live together have in common: whether they
// were ended together, by whom, why, and when. It keeps no operation, so an operation that is kept
// keeps no other. For those who write a queue; its zero value is a live generation.
//
// A queue with protected operations has two: one for them, and one for the others, linked to it.
// So there is one atomic store for each instant: End of the linked one ends the unprotected alone,
// End of the other one ends all.
type Generation struct {
	end atomic.Pointer[generationEnd] // nil while it is live, or a link
}

// generationEnd is an end, whole before it is shown: one store shows its reason, time and position.
// One with a link is none: the generation ends when the other one does, if it was not ended before.
type generationEnd struct {
	link     *Generation
	reason   Reason
	at       time.Time
	position time.Duration // of the operation that was running
	by       Cause
}

// End ends every operation of the generation that has not ended, and of those that are linked to
// it, at one instant: its one atomic store. position is how far the running one has come; by is
// who did it, or nil. It must be called at most once, with a failed reason, not after the end of
// the one that it is linked to, and under the same mutex as all writes of the operations.
func (g *Generation) End(r Reason, by *Cause, at time.Time, position time.Duration) {
	end := &generationEnd{reason: r, at: at, position: position}
	if by != nil {
		end.by = *by
	}
	g.end.Store(end)
}

// Link has a live generation end when the other one does, which is live and has no link itself. A
// later link replaces it. It must be called under the mutex of End.
func (g *Generation) Link(other *Generation) {
	g.end.Store(&generationEnd{link: other})
}

// ended returns the end of the generation, or nil. While it is live and not linked, it is one
// atomic load, and inlined.
func (g *Generation) ended() *generationEnd {
	if end := g.end.Load(); end != nil {
		return g.resolve(end)
	}
	return nil
}

// resolve keeps follow's reader out of what is inlined.
//
//go:noinline
func (g *Generation) resolve(end *generationEnd) *generationEnd { return g.follow(end, load) }

// load is what follow reads with; its test reads with something else, to be everywhere between.
func load(g *Generation) *generationEnd { return g.end.Load() }

// follow returns the end of a generation, in which this was found: its end, or a link.
//
// If the other generation is live, this one was when the link was read. If not, all have ended; but
// this one may have been ended alone, just before all were, and after its link was read. So a
// reader looks again: the end of all counts only where the link still stands. Without that it would
// see the end of all now, and the one before it later.
func (g *Generation) follow(
	end *generationEnd, load func(*Generation) *generationEnd,
) *generationEnd {
	for end != nil && end.link != nil {
		all := load(end.link)
		if all == nil {
			return nil
		}
		again := load(g)
		if again == end {
			return all
		}
		end = again
	}
	return end
}
