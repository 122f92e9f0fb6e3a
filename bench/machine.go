package bench

import (
	"context"
	"sync"

	"github.com/google/uuid"
	"github.com/looplab/fsm"

	"ivrqueue/bench/ids"
	"ivrqueue/operation"
)

// LoopLab is a slice behind a mutex, with a looplab machine for each operation. Whoever finds
// nothing running runs what there is, so that no goroutine is needed.
var LoopLab = &Contestant{
	Name:   "looplab",
	How:    "a slice behind a mutex, and a looplab/fsm machine for each operation",
	Claims: Orders | Queues | IDs | States | Cancels | Receipts | Sleeps,
	Open:   func(Setting) Call { return new(machines) },
}

type machines struct {
	mu        sync.Mutex // guards everything below, and the machines
	waiting   []*machineOp
	running   *machineOp
	cancelled []*machineOp
}

type machineOp struct {
	call    *machines
	id      uuid.UUID
	machine *fsm.FSM
	work    *Work
	done    chan struct{} // nil if nobody waits
}

var (
	start    = operation.Start.String()
	complete = operation.Complete.String()
	fail     = operation.Fail.String()
)

func newMachineOp(c *machines, w *Work) *machineOp {
	op := &machineOp{call: c, machine: operation.NewMachine(), work: w}
	ids.Fill(&op.id)
	return op
}

// fire moves the machine. Its context must never be one that can end: that would wedge it.
func (o *machineOp) fire(event string) {
	if err := o.machine.Event(context.Background(), event); err != nil {
		panic(err)
	}
}

func (o *machineOp) ID() uuid.UUID          { return o.id }
func (o *machineOp) Times() operation.Times { return operation.Times{} }

func (o *machineOp) Status() operation.Status {
	o.call.mu.Lock()
	defer o.call.mu.Unlock()
	for s := operation.NotStarted; s <= operation.Failed; s++ {
		if o.machine.Is(s.String()) {
			return s
		}
	}
	return 0
}

// Do has nobody to wait for: what runs, runs on its own goroutine or on one that is at it.
func (c *machines) Do(w *Work) {
	c.Submit(w)
	<-w.ended
}

func (c *machines) Submit(w *Work) Op {
	op := newMachineOp(c, w)
	c.mu.Lock()
	c.waiting = append(c.waiting, op)
	if c.running != nil {
		c.mu.Unlock()
		return op
	}
	for len(c.waiting) > 0 {
		c.begin()
		running := c.running
		c.mu.Unlock()
		running.work.Run()
		c.mu.Lock()
		running.fire(complete)
		running.work.end()
		c.running = nil
	}
	c.mu.Unlock()
	return op
}

// begin starts the first that waits.
func (c *machines) begin() {
	c.running = c.waiting[0]
	c.waiting[0] = nil
	if len(c.waiting) == 1 {
		c.waiting = c.waiting[:0] // the one slot is used again and again
	} else {
		c.waiting = c.waiting[1:]
	}
	c.running.fire(start)
}

// Hold accepts one that is not run, but lasts.
func (c *machines) Hold(w *Work, awaited bool) Op {
	op := newMachineOp(c, w)
	if awaited {
		op.done = make(chan struct{})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = append(c.waiting, op)
	if c.running == nil {
		c.begin()
	}
	return op
}

func (c *machines) CancelAll() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	cancelled := make([]*machineOp, 0, len(c.waiting)+1)
	if c.running != nil {
		cancelled = append(cancelled, c.running)
	}
	cancelled = append(cancelled, c.waiting...)
	for _, op := range cancelled {
		op.fire(fail)
		if op.done != nil {
			close(op.done)
		}
	}
	c.running, c.waiting, c.cancelled = nil, nil, cancelled
	return len(cancelled)
}

func (c *machines) Cancelled() (ops []Op) {
	for _, op := range c.cancelled {
		ops = append(ops, op)
	}
	return ops
}

func (c *machines) Settle() {}

func (c *machines) Close() {}
