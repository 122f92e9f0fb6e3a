package operation

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Control is the writing side of an operation: for those who write a queue, never needed by those
// who use one. It holds the operation, so both sides are one allocation, and there is no way from
// an *[Operation] to its Control. Calls that write must be serialized by the queue's mutex; what
// may be called without it says so. It must not be copied.
type Control struct{ op Operation }

// Spec is what an operation is made of.
type Spec struct {
	ID            uuid.UUID // a random one if zero
	Request       Request
	ClientContext string
	Context       context.Context //nolint:containedctx // lends its values
	Value         any
}

// Init makes the zero Control a new operation. It needs no lock; the operation is not accepted yet.
func (c *Control) Init(s Spec) {
	o := &c.op
	o.request, o.clientContext = s.Request, s.ClientContext
	if o.id = s.ID; o.id == uuid.Nil {
		randomID(&o.id)
	}
	o.value = s.Value
	if s.Context != context.Background() {
		o.ctx = s.Context
	}
	o.lends = o.ctx != nil || o.value != nil
	o.word.Store(uint32(newWord(NotStarted, 0, false)))
}

// Operation returns the reading side.
func (c *Control) Operation() *Operation { return &c.op }

// Accept puts the operation into a generation. Only then may it be shared.
func (c *Control) Accept(g *Generation, at time.Time) {
	c.op.generation, c.op.accepted = g, at
}

// Start moves the operation to running.
func (c *Control) Start(at time.Time) error {
	o := &c.op
	next, err := c.status().After(Start)
	if err != nil {
		return err
	}
	o.started = at.Sub(o.accepted)
	o.word.Store(uint32(newWord(next, 0, true)))
	return nil
}

// End completes or fails the operation, as r.Reason says, which must be valid. On an operation that
// has ended it is a *[TransitionError] and changes nothing. r is not kept. Follow it with Finish.
func (c *Control) End(r *Result, at time.Time) error {
	o := &c.op
	e := Complete
	if r.Reason.Status() == Failed {
		e = Fail
	}
	next, err := c.status().After(e)
	if err != nil {
		return err
	}
	// All that a reader may see of the end, before the word that shows it.
	o.ended, o.position = at.Sub(o.accepted), r.Position
	if r.Err != nil || r.Recording != (Recording{}) {
		o.outcome = &outcome{r.Err, r.Recording}
	}
	o.word.Store(uint32(newWord(next, r.Reason, word(o.word.Load()).started())))
	return nil
}

// Complete makes a new operation one that was born completed, as that of a cancel is.
func (c *Control) Complete(at time.Time) {
	c.op.accepted = at
	c.op.word.Store(uint32(newWord(Completed, Succeeded, false)))
}

// Live reports whether the operation has not ended: two atomic loads, no lock needed.
func (c *Control) Live() bool {
	return !word(c.op.word.Load()).status().Terminal() &&
		(c.op.generation == nil || c.op.generation.ending.Load() == nil)
}

// Progress stores the live position; no lock needed. A position of more than 146 years is told as
// that.
func (c *Control) Progress(position time.Duration) {
	const most = 1<<62 - 1
	c.op.progress.Store(int64(max(min(position, most), -most))<<1 | toldBit)
}

// Progressed reports whether Progress was called since Progressed was; no lock needed.
func (c *Control) Progressed() bool {
	p := c.op.progress.Load()
	if p&toldBit == 0 {
		return false
	}
	c.op.progress.CompareAndSwap(p, p&^toldBit) // or it was called again just now
	return true
}

// Context returns the context of the media's work: with the values of Enqueue's context, ended
// when the operation ends, with its Reason as cause. It is made when first asked for; no lock
// needed.
func (c *Control) Context() context.Context {
	o := &c.op
	t := o.task.Load()
	if t == nil {
		ctx, cancel := context.WithCancelCause(o.Context())
		if t = (&taskContext{ctx, cancel}); !o.task.CompareAndSwap(nil, t) {
			cancel(nil)
			t = o.task.Load()
		}
	}
	// The end may have come before the context was there to be cancelled: look again, also where the
	// context is another one's, who may be just about to.
	if r := o.reason(); r != 0 {
		t.cancel(r)
	}
	return t.Context
}

// Accepted returns when the operation was accepted. Like Started and Ended it is one of
// [Operation.Times], for those who know that it has come.
func (c *Control) Accepted() time.Time { return c.op.accepted }

// Started returns when the operation was started.
func (c *Control) Started() time.Time { return c.op.accepted.Add(c.op.started) }

// Ended returns when an operation ended that End has ended.
func (c *Control) Ended() time.Time { return c.op.accepted.Add(c.op.ended) }

// Reason returns why the operation ended, or zero.
func (c *Control) Reason() Reason { return c.op.reason() }

// Result fills in [Operation.Result] of an operation that has ended.
func (c *Control) Result(r *Result) {
	w, dead := c.op.look()
	if dead != 0 {
		*r = Result{Reason: dead}
		return
	}
	c.op.result(w, r)
}

// Awaited reports whether Finish has something to do. It is exact after the end.
func (c *Control) Awaited() bool {
	return c.op.done.Load() != nil || c.op.task.Load() != nil && c.hasContext()
}

// hasContext reports whether the task's context is another than the dead one that LetGo leaves.
func (c *Control) hasContext() bool { return c.op.task.Load() != dead[c.op.reason()] }

// Finish lets the Done channel and the task's context follow the end of the operation. It must be
// called without the queue's mutex, since a context may run code of others.
func (c *Control) Finish() {
	if t := c.op.task.Load(); t != nil {
		t.cancel(c.op.reason()) // LetGo may have been first; to cancel twice is to cancel once
	}
	if !c.op.closeDone() {
		c.op.mu.Lock()   // a reader has taken it out to close it: wait until it has
		c.op.mu.Unlock() //nolint:staticcheck // empty on purpose
	}
}

// LetGo drops what an operation that has ended was lent, its context's values and the platform's
// datum. No lock needed. Media may be in the middle of asking for its context: either LetGo finds
// what that has made, or that finds the dead context which LetGo leaves, and drops its own.
func (c *Control) LetGo() {
	o := &c.op
	if o.lends || o.task.Load() != nil {
		r := o.reason()
		if t := o.task.Swap(dead[r]); t != nil {
			t.cancel(r) // Finish may be yet to come
		}
	}
	if !o.lends {
		return
	}
	o.mu.Lock()
	o.ctx, o.value = nil, nil
	o.mu.Unlock()
}

func (c *Control) status() Status { return c.op.Status() }

// taskContext is a context with the means to end it. Finish ends it, and it keeps its values until
// LetGo swaps it for a shared dead one.
type taskContext struct {
	context.Context //nolint:containedctx // it is the context, and what ends it

	cancel context.CancelCauseFunc
}

// dead are contexts that were over before anyone asked, by reason.
var dead = func() (dead [len(rows)]*taskContext) {
	for r := range dead {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(Reason(r))
		dead[r] = &taskContext{ctx, cancel}
	}
	return dead
}()

// DeadContext returns a context that ended with cause r: what a task that is none answers with.
func DeadContext(r Reason) context.Context {
	if !r.Valid() {
		r = Unspecified
	}
	return dead[r].Context
}

// CancelMediaProcessing returns the request of a cancel's own operation. It can't be enqueued.
func CancelMediaProcessing() Request { return cancelMediaProcessing{} }

type cancelMediaProcessing struct{}

func (cancelMediaProcessing) Kind() Kind { return KindCancelMediaProcessing }

func (cancelMediaProcessing) Validate() error {
	return &FieldError{
		"request", string(KindCancelMediaProcessing),
		"a kind that media can do; CancelAll makes this one",
	}
}
