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
	Context       context.Context //nolint:containedctx // for its values
	Value         any
	StopTimeout   time.Duration // for the queue, which has one of its own if it is zero
}

// String is the operation's: see [Operation.String].
func (c *Control) String() string { return c.op.String() }

// Init makes the zero Control a new operation. It needs no lock; the operation is not accepted yet.
func (c *Control) Init(s Spec) {
	o := &c.op
	o.request, o.clientContext = s.Request, s.ClientContext
	if o.id = s.ID; o.id == uuid.Nil {
		randomID(&o.id)
	}
	o.value = s.Value
	if c, ok := s.Context.(*taskContext); ok { // of one that may drop its values before this one
		s.Context = c.operation().values()
	}
	if s.Context != context.Background() {
		o.ctx = s.Context
	}
	if o.ctx != nil || o.value != nil {
		o.flags.Store(attached)
	}
	if s.StopTimeout > 0 {
		o.needExtras(nil).stopTimeout = s.StopTimeout
	}
	o.state.Store(uint32(newState(NotStarted, 0, false)))
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
	w, dead := o.load()
	next := w.status().next(Start)
	if dead != nil || next == 0 {
		return &TransitionError{From: o.Status(), Event: Start}
	}
	o.started = at.Sub(o.accepted)
	o.state.Store(uint32(newState(next, 0, true)))
	return nil
}

// End completes or fails the operation, as r.Reason says, which must be valid. On an operation that
// has ended it is a *[TransitionError] and changes nothing. r is not kept.
func (c *Control) End(r *Result, at time.Time) error { return c.EndBy(r, nil, at) }

// EndBy is End by somebody other than the media, who is kept, or nil. It runs on a dispatcher's
// small stack, so what few ends need is in functions of their own.
func (c *Control) EndBy(r *Result, by *Cause, at time.Time) error {
	o, e := &c.op, Complete
	if r.Reason.Status() == Failed {
		e = Fail
	}
	w := packedState(o.state.Load()) // no second look: the queue alone writes
	next := w.status().next(e)
	if next == 0 || o.generation != nil && o.generation.ended() != nil {
		return o.noTransition(e)
	}
	// All that a reader may see of the end, before the state that shows it.
	o.ended, o.position = at.Sub(o.accepted), r.Position
	if by != nil || r.hasDetail() {
		o.keepDetail(r, by)
	}
	o.state.Store(uint32(newState(next, r.Reason, w.started())))
	return nil
}

//go:noinline
func (o *Operation) noTransition(e Event) error {
	return &TransitionError{From: o.Status(), Event: e}
}

// keepDetail keeps of a result what most do not have.
//
//go:noinline
func (o *Operation) keepDetail(r *Result, by *Cause) {
	x := o.needExtras(nil)
	x.err, x.recording, x.value, x.by = r.Err, r.Recording, r.Value, by
}

// Complete makes a new operation one that was created completed, as that of a cancel is.
func (c *Control) Complete(at time.Time) {
	c.op.accepted = at
	c.op.state.Store(uint32(newState(Completed, Succeeded, false)))
}

// Live is the operation's.
func (c *Control) Live() bool { return c.op.Live() }

// Progress stores the live position; no lock needed.
func (c *Control) Progress(position time.Duration) { c.op.progress.report(position) }

// ProgressAt stores the place in the prompts, and then the live position; no lock needed. The first
// one of an operation allocates.
func (c *Control) ProgressAt(prompt int, offset, position time.Duration) {
	c.op.needExtras(nil).place.report(prompt, offset)
	c.op.progress.report(position)
}

// Stalled reports whether no progress was reported since it was last asked; no lock needed, but it
// is for one who asks at a time.
func (c *Control) Stalled() bool { return c.op.progress.stalled() }

// StopTimeout is the Spec's.
func (c *Control) StopTimeout() time.Duration {
	if x := c.op.extras.Load(); x != nil {
		return x.stopTimeout
	}
	return 0
}

// EndLoop has LastLoop say yes from now on.
func (c *Control) EndLoop() { c.op.flags.Or(lastLoop) }

// LastLoop reports whether a loop is to end at its next boundary; no lock needed.
func (c *Control) LastLoop() bool { return c.op.flags.Load()&lastLoop != 0 }

// Accepted returns when the operation was accepted. Like Started and Ended it is one of
// [Operation.Times], for those who know that it has come.
func (c *Control) Accepted() time.Time { return c.op.accepted }

// Started returns when the operation was started.
func (c *Control) Started() time.Time {
	if c.op.started == 0 { // the common one, which did not wait
		return c.op.accepted
	}
	return c.op.accepted.Add(c.op.started)
}

// Ended returns when an operation ended that End has ended.
func (c *Control) Ended() time.Time { return c.op.accepted.Add(c.op.ended) }

// Reason returns why the operation ended, or zero.
func (c *Control) Reason() Reason { return c.op.reason() }

// HasWaiters reports whether NotifyDone has something to do. It is exact after the end.
func (c *Control) HasWaiters() bool { return c.op.flags.Load()&awaited != 0 }

// NotifyDone closes the Done channel of an operation that has ended, and the Released channel if
// its media is through with it. It is called without the queue's mutex: it waits for readers of the
// operation.
func (c *Control) NotifyDone() {
	c.op.mu.Lock()
	defer c.op.mu.Unlock()
	c.op.closeDone()
	c.op.closeReleased()
}

// ReleaseContext drops the values of an operation's context, and no more: of a cancel's own, whose
// datum is kept. No lock needed.
func (c *Control) ReleaseContext() {
	o := &c.op
	if o.flags.Load()&attached == 0 {
		return
	}
	o.mu.Lock()
	o.ctx = nil
	o.mu.Unlock()
}

// ReleaseValues drops what was attached to an operation that has ended: its context's values and
// the platform's datum. No lock needed.
func (c *Control) ReleaseValues() {
	o := &c.op
	if o.flags.Load()&attached == 0 {
		return
	}
	o.mu.Lock()
	o.ctx, o.value = nil, nil
	o.mu.Unlock()
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
