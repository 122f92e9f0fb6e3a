package operation

import (
	"sync/atomic"
	"time"
)

// Generation is what the operations of a queue that are live together have in common: whether they
// were ended together, why, and when. It points at nothing else, so an operation that is kept
// keeps no other. For those who write a queue; its zero value is a live generation.
type Generation struct {
	ending atomic.Pointer[ending] // nil while it lives
}

// ending is why and when a generation ended. It is never changed.
type ending struct {
	reason Reason
	at     time.Time
}

// End ends every operation of the generation that has not ended, at one instant: its one atomic
// store. It must be called at most once, with a failed reason, and under the same mutex as all
// writes of the generation's operations.
func (g *Generation) End(r Reason, at time.Time) {
	g.ending.Store(&ending{r, at})
}

func (g *Generation) reason() Reason {
	if e := g.ending.Load(); e != nil {
		return e.reason
	}
	return 0
}
