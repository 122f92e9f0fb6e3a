package bench

import (
	"errors"
	"runtime"

	"ivrqueue/bench/grown"
	"ivrqueue/operation"
)

// ChanFull is the channel design grown to the contract; see package grown.
var ChanFull = &Contestant{
	Name:   "chanfull",
	How:    "the goroutine and channel of each call, grown to the contract: see bench/grown",
	Claims: all &^ (Isolates | Sleeps),
	Open: func(s Setting) Call {
		work, observe := grown.Work(brief), grownEndsTrip
		if s.Use == Held || s.Use == Watched {
			work = untilDone
		}
		if s.Observe != nil {
			observe = func(e grown.Event) {
				s.Observe(Told{e.Seq, e.Kind.String(), e.Op, e.Reason})
				grownEndsTrip(e)
			}
		}
		return &grownCall{queue: grown.New(work, observe)}
	},
}

func brief(o *grown.Op) operation.Reason {
	o.Request().(*Work).Run()
	return operation.Succeeded
}

func untilDone(o *grown.Op) operation.Reason {
	o.Request().(*Work).Run()
	<-o.Done()
	return operation.Succeeded
}

func grownEndsTrip(e grown.Event) {
	if e.Kind == grown.Ended {
		e.Op.Request().(*Work).end()
	}
}

type grownCall struct {
	queue   *grown.Queue
	victims []*grown.Op
}

func (c *grownCall) enqueue(w *Work) *grown.Op {
	for {
		op, err := c.queue.Enqueue(w)
		switch {
		case err == nil:
			return op
		case !errors.Is(err, grown.ErrFull):
			panic(err)
		}
		runtime.Gosched()
	}
}

func (c *grownCall) Do(w *Work) {
	c.enqueue(w)
	<-w.ended
}

func (c *grownCall) Submit(w *Work) Op { return c.enqueue(w) }

func (c *grownCall) Hold(w *Work, awaited bool) Op {
	op := c.enqueue(w)
	if awaited {
		op.Done()
	}
	return op
}

func (c *grownCall) CancelAll() int {
	c.victims = c.queue.CancelAll()
	return len(c.victims)
}

func (c *grownCall) Victims() (ops []Op) {
	for _, op := range c.victims {
		ops = append(ops, op)
	}
	return ops
}

func (c *grownCall) Settle() {
	for !c.queue.Settled() {
		runtime.Gosched()
	}
}

func (c *grownCall) Close() { c.queue.Close() }
