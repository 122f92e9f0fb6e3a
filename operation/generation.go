package operation

import (
	"sync/atomic"
	"time"
)

// Generation is what the operations of a queue that are live together have in common: whether they
// were ended together, why, and when. It points at nothing else, so an operation that is kept
// keeps no other. For those who write a queue; its zero value is a live generation.
type Generation struct {
	end atomic.Pointer[generationEnd] // nil while it is live
}

// generationEnd is an end, whole before it is shown: one store shows its reason, time and position.
type generationEnd struct {
	reason   Reason
	at       time.Time
	position time.Duration // of the operation that was running
}

// End ends every operation of the generation that has not ended, at one instant: its one atomic
// store. position is how far the running one has come. It must be called at most once, with a
// failed reason, and under the same mutex as all writes of the generation's operations.
func (g *Generation) End(r Reason, at time.Time, position time.Duration) {
	g.end.Store(&generationEnd{r, at, position})
}

func (g *Generation) reason() Reason {
	if end := g.end.Load(); end != nil {
		return end.reason
	}
	return 0
}
