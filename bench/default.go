package bench

import "ivrqueue/queue"

// Default is our queue as it is without options, with one observer: whoever waits for an end is
// woken by that.
var Default = &Contestant{
	Name:   "default",
	How:    "our queue, media and observer called on goroutines of its own, made when needed",
	Claims: all,
	Open: func(s Setting) Call {
		if s.Use == Held || s.Use == Watched {
			return openHeld(&defaultManner, s)
		}
		return &defaultCall{defaultManner.open(instant{}, s)}
	},
}

var defaultManner = newManner(tripObserver{}, queue.WithObserver)

type defaultCall struct{ line }

func (c *defaultCall) Do(w *Work) {
	c.enqueue(w)
	<-w.ended
}

// Blocking is the easy form of our queue: media is a function that blocks. There is no observer in
// a trip; who waits, waits for the operation.
var Blocking = &Contestant{
	Name:   "blocking",
	How:    "our queue, with a blocking function as media",
	Claims: all,
	Open: func(s Setting) Call {
		if s.Use == Held || s.Use == Watched {
			h := new(held)
			h.line = defaultManner.open(queue.Blocking(h.media.block), s)
			return h
		}
		if s.Observe == nil {
			s.Use = Held // without an observer
		}
		return &blockingCall{defaultManner.open(queue.Blocking(simple), s)}
	},
}

type blockingCall struct{ line }

func (c *blockingCall) Do(w *Work) { <-c.enqueue(w).Done() }
