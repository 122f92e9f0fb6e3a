package bench

import (
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Inline is our queue in its fastest form: media and one observer are called on the goroutine that
// changed the state. In a trip the media reports after its Start has returned, as media does.
var Inline = &Contestant{
	Name:   "inline",
	How:    "our queue, media and observer called on the goroutine that changed the state",
	Claims: all &^ Isolates,
	Open: func(s Setting) Call {
		switch s.Use {
		case Stream:
			return &inlineStream{inlineManner.open(instant{}, s)}
		case Held, Watched:
			return openHeld(&inlineManner, s)
		default:
			c := new(inlineTrip)
			c.line = inlineManner.open(&c.media, s)
			return c
		}
	},
}

var inlineManner = newManner(idleObserver{}, queue.WithInlineObserver, queue.WithInlineMedia())

type inlineTrip struct {
	line

	media patient
	_     apart
}

func (c *inlineTrip) Do(w *Work) {
	c.enqueue(w)
	c.media.current.End(operation.Result{})
}

type inlineStream struct{ line }

// Do waits only if another producer has taken the operation along, and is at it still.
func (c *inlineStream) Do(w *Work) {
	if op := c.enqueue(w); !op.Status().Terminal() {
		<-op.Done()
	}
}
