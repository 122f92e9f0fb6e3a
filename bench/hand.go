package bench

import (
	"errors"
	"runtime"

	"ivrqueue/bench/hand"
	"ivrqueue/operation"
)

// Hand is what a good engineer writes by hand to our contract; see package hand.
var Hand = &Contestant{
	Name:   "hand",
	How:    "a goroutine and a channel for each call, by hand to the same contract: see bench/hand",
	Claims: all &^ (Isolates | Sleeps),
	Open: func(s Setting) Call {
		work, observe := hand.Work(brief), handEndsTrip
		if s.Use == Held || s.Use == Watched {
			work = untilDone
		}
		if s.Observe != nil {
			observe = func(e hand.Event) {
				s.Observe(Event{e.Seq, e.Kind.String(), e.Op, e.Reason})
				handEndsTrip(e)
			}
		}
		return &handCall{queue: hand.New(work, observe)}
	},
}

func brief(o *hand.Op) operation.Reason {
	o.Request().(*Work).Run()
	return operation.Succeeded
}

func untilDone(o *hand.Op) operation.Reason {
	o.Request().(*Work).Run()
	<-o.Done()
	return operation.Succeeded
}

func handEndsTrip(e hand.Event) {
	if e.Kind == hand.Ended {
		e.Op.Request().(*Work).end()
	}
}

type handCall struct {
	queue     *hand.Queue
	cancelled []*hand.Op
}

func (c *handCall) enqueue(w *Work) *hand.Op {
	for {
		op, err := c.queue.Enqueue(w)
		switch {
		case err == nil:
			return op
		case !errors.Is(err, hand.ErrFull):
			panic(err)
		}
		runtime.Gosched()
	}
}

func (c *handCall) Do(w *Work) {
	c.enqueue(w)
	<-w.ended
}

func (c *handCall) Submit(w *Work) Op { return c.enqueue(w) }

func (c *handCall) Hold(w *Work, awaited bool) Op {
	op := c.enqueue(w)
	if awaited {
		op.Done()
	}
	return op
}

func (c *handCall) CancelAll() int {
	c.cancelled = c.queue.CancelAll()
	return len(c.cancelled)
}

func (c *handCall) Cancelled() (ops []Op) {
	for _, op := range c.cancelled {
		ops = append(ops, op)
	}
	return ops
}

func (c *handCall) Settle() {
	for !c.queue.Settled() {
		runtime.Gosched()
	}
}

func (c *handCall) Close() { c.queue.Close() }
