package operation

import (
	"sync/atomic"
	"time"
)

// Generation is what the operations of a queue that are live together have in common: whether they
// were ended together, why, and when. It points at nothing else, so an operation that is kept
// keeps no other. For those who write a queue; its zero value is a live generation.
type Generation struct {
	reasonWord atomic.Uint32  // the Reason, or zero
	end        *generationEnd // written before reasonWord; few generations end
}

// generationEnd is what is known of an end besides its reason.
type generationEnd struct {
	at       time.Time
	position time.Duration // of the operation that was running
}

// End ends every operation of the generation that has not ended, at one instant: its one atomic
// store. position is how far the running one has come. It must be called at most once, with a
// failed reason, and under the same mutex as all writes of the generation's operations.
func (g *Generation) End(r Reason, at time.Time, position time.Duration) {
	g.end = &generationEnd{at, position}
	g.reasonWord.Store(uint32(r))
}

func (g *Generation) reason() Reason { return Reason(g.reasonWord.Load()) }
