package operation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Operation is what an accepted request has become: the reading side. Producers, observers and the
// wire hold it. A queue makes it; its zero value and a nil *Operation read as nothing. It must not
// be copied: the pointer is the identity. It needs no release.
type Operation struct {
	// Written once, before the operation is shared.
	id            uuid.UUID
	request       Request
	clientContext string
	accepted      time.Time
	generation    *Generation // nil for an operation created completed

	// state is status, reason and whether it was started. Written by the queue, under its mutex.
	state atomic.Uint32

	flags atomic.Uint32 // attached, awaited, doneClosed, stopping, lastLoop, preempted

	// Each is written before the state that shows it, and never after.
	started, ended time.Duration // since accepted
	position       time.Duration // of the Result

	extras atomic.Pointer[extras] // the rest of the Result, and of what few have; nil if nothing

	progress progress // the live position; written by the media

	mu sync.Mutex // guards everything below

	done chan struct{} // made by Done

	// Released when the last event has been delivered.
	ctx   context.Context //nolint:containedctx // for its values, never its end
	value any
}

// The flags of an operation.
const (
	attached   uint32 = 1 << iota // a context or a value was given
	awaited                       // Done or Released has made its channel; set before it looks
	doneClosed                    // the channel is closed; under the mutex
	stopping                      // preempted, and its media is not through
	lastLoop                      // a loop is to end at its next boundary
	preempted                     // it was stopping, or is
)

// ID returns the operation's id.
func (o *Operation) ID() uuid.UUID {
	if o == nil {
		return uuid.Nil
	}
	return o.id
}

// String returns kind, id and status, and the reason of an end, for logs and tests: what is given
// to package fmt would be read without a lock otherwise, with all that is attached to it.
func (o *Operation) String() string {
	switch s := o.Status(); s {
	case 0:
		return "no operation"
	case Completed, Failed:
		return fmt.Sprintf("%s %v %v: %s", o.Kind(), o.ID(), s, o.reason().Error())
	default:
		return fmt.Sprintf("%s %v %v", o.Kind(), o.ID(), s)
	}
}

// Request returns what was asked for. It is read-only.
func (o *Operation) Request() Request {
	if o == nil {
		return nil
	}
	return o.request
}

// Kind returns the kind of the request.
func (o *Operation) Kind() Kind {
	if o == nil || o.request == nil {
		return ""
	}
	return o.request.Kind()
}

// ClientContext returns the bot's own mark on the operation, at most 256 characters.
func (o *Operation) ClientContext() string {
	if o == nil {
		return ""
	}
	return o.clientContext
}

// Value returns the datum that the platform gave with the request, so that media and observers need
// no map from operations to their own things. It is theirs: it is released, and nil, once the last
// event of the operation was delivered, or at its end without observers, so that an operation that
// is kept keeps nothing else alive. Whoever waits for the end holds the datum himself.
func (o *Operation) Value() any {
	if o == nil || o.flags.Load()&attached == 0 {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.value
}

// Context returns the context of the media's work: it ends when the operation does, whatever the
// end, with the [Reason] as cause, and has the values of Enqueue's context (trace ids and the like)
// until they are released; see [Operation.Value]. It costs nothing to make. Each context that is
// derived from it costs a goroutine until one of the two ends, and loses the values when it does:
// what outlives the operation derives from [Operation.DetachedContext].
func (o *Operation) Context() context.Context {
	if o == nil {
		return Unspecified.ended()
	}
	return (*taskContext)(o)
}

// DetachedContext returns a context with the values of Enqueue's context that never ends: for what
// outlives the operation, such as the upload of its recording, or notifying somebody of its end.
// Once the values are released it is an empty one; one that was returned before keeps them.
func (o *Operation) DetachedContext() context.Context {
	return context.WithoutCancel(o.values())
}

// Attach adds the values of a context to the operation's, before which they are looked up: for an
// observer that has something of its own for each operation, such as a trace's span, and needs no
// map for it then. Context and DetachedContext have them from now on, and they are released as all
// values are; see [Operation.Value]. So it is to be called before the operation's last event was
// delivered: after it the values stay for as long as the operation is kept. Of two contexts with
// the same key the later one counts. It costs nothing to who does not use it.
//
// It is an error, and changes nothing, if the operation or ctx is nil, if ctx panics, as a typed
// nil does, and if it derives from the operation's own Context: take DetachedContext. Two
// operations must not get contexts of each other at the same moment: neither call sees the other
// then.
func (o *Operation) Attach(ctx context.Context) error {
	if o == nil {
		return errors.New("operation: nil operation")
	}
	if ctx == nil {
		return errors.New("operation: Attach: nil context")
	}
	if err := o.mayAttach(ctx); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ctx == nil {
		o.ctx = ctx
	} else {
		o.ctx = layered{ctx, o.ctx}
	}
	o.flags.Or(attached)
	return nil
}

// values returns the context that was given to Enqueue, and what was attached to it, or an empty
// one once it was released.
func (o *Operation) values() context.Context {
	if o == nil || o.flags.Load()&attached == 0 {
		return context.Background()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ctx == nil {
		return context.Background()
	}
	return o.ctx
}

// Position returns how far the media has come, as it last reported. After the end it may still move
// a little, until the media fell silent; Result().Position does not.
func (o *Operation) Position() time.Duration {
	if o == nil {
		return 0
	}
	return o.progress.position()
}

// Place returns where in its prompts a play is, as its media last reported: which prompt, counted
// from 0, and how far into it, at most 78 hours. It is 0, 0 before the first report, and for media
// that reports none. Like Position it may still move a little after the end, until the media fell
// silent. [PlayPrompt.From] makes the request that goes on from there.
func (o *Operation) Place() (prompt int, offset time.Duration) {
	if o == nil {
		return 0, 0
	}
	if x := o.extras.Load(); x != nil {
		return x.place.get()
	}
	return 0, 0
}

// Live reports whether the operation has not ended. Media asks right before every frame: once
// CancelAll has returned, the answer is no. It costs two atomic loads.
func (o *Operation) Live() bool {
	return o != nil && packedState(o.state.Load()).status().live() &&
		(o.generation == nil || o.generation.ended() == nil)
}

// Status returns where the operation is in its life, at this instant.
func (o *Operation) Status() Status {
	if o == nil {
		return 0
	}
	w, end := o.load()
	if end != nil {
		return end.reason.Status()
	}
	return w.status()
}

// Times returns when the operation was accepted, started and ended. A time that has not come, or
// never came, is zero.
func (o *Operation) Times() Times {
	if o == nil {
		return Times{}
	}
	w, end := o.load()
	t := Times{Accepted: o.accepted}
	if w.started() {
		t.Started = o.accepted.Add(o.started)
	}
	switch {
	case end != nil:
		t.Ended = end.at
	case w.status().Terminal():
		t.Ended = o.accepted.Add(o.ended)
	}
	return t
}

// Times are the three instants of a life.
type Times struct {
	Accepted time.Time
	Started  time.Time
	Ended    time.Time
}

// Result returns how the operation ended, and whether it has. It never changes once it is there.
func (o *Operation) Result() (Result, bool) {
	if o == nil {
		return Result{}, false
	}
	var r Result
	ended := o.result(&r)
	return r, ended
}

// result fills in the result of an operation that has ended, and reports whether it has.
func (o *Operation) result(r *Result) (ended bool) {
	w, end := o.load()
	switch {
	case end != nil:
		*r = Result{Reason: end.reason}
		if w.started() {
			r.Position = end.position
		}
	case w.status().Terminal():
		*r = Result{Reason: w.reason(), Position: o.position}
		if x := o.extras.Load(); x != nil {
			r.Err, r.Recording, r.Value = x.err, x.recording, x.value
		}
	default:
		return false
	}
	return true
}

// Err returns nil while the operation lives and when it completed, and an *[Error] when it failed:
// errors.Is finds the reason in it, and the cause that the media reported.
func (o *Operation) Err() error {
	r, ended := o.Result()
	if !ended || r.Reason.Status() == Completed {
		return nil
	}
	return &Error{ID: o.id, Kind: o.Kind(), Reason: r.Reason, Err: r.Err}
}

// Done returns a channel that is closed when the operation has ended. For an operation that a
// cancel ended it is closed before the cancel returns, a moment after Status shows the end.
func (o *Operation) Done() <-chan struct{} {
	if o == nil {
		return closed
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.done == nil {
		o.done = make(chan struct{})
		o.flags.Or(awaited)
	}
	// The end may have come before anyone could know of the channel: look again, also where it is
	// another reader's, who may have been too early to see the end.
	if o.reason() != 0 {
		o.closeDone()
	}
	return o.done
}

// Wait blocks until the operation has ended or ctx has, and returns the operation's result and
// [Operation.Err], or the cause of ctx. If both have ended, the operation counts.
func (o *Operation) Wait(ctx context.Context) (Result, error) {
	if o == nil {
		return Result{}, errors.New("operation: nil operation")
	}
	if ctx == nil {
		return Result{}, errors.New("operation: nil context")
	}
	var over error
	if _, ended := o.Result(); !ended {
		over = await(ctx, o.Done())
	}
	r, ended := o.Result() // also if ctx is over: the operation may have ended with it
	if !ended {
		return Result{}, over
	}
	return r, o.Err()
}

// await waits for done, or for the end of ctx, whose cause it returns. A context that panics, as a
// typed nil does, is an error, and so is one that has ended and does not say why.
func await(ctx context.Context, done <-chan struct{}) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("operation: Wait: context %T panicked: %v", ctx, v)
		}
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return cmp.Or(context.Cause(ctx), context.Canceled)
	}
}

// load is the reading protocol. It returns the operation's own word and, where that is not
// terminal but the operation's generation has been ended, the end of that.
//
// The generation is one word for all operations of a queue that were live together, so that one
// store ends them all. Between reading the own word and the generation's, the operation may have
// ended by itself just before its generation did: the second look at the own word tells. Without
// it a reader would see a completed operation as cancelled.
func (o *Operation) load() (w packedState, end *generationEnd) {
	return o.loadAfter(packedState(o.state.Load()))
}

// loadAfter is load after its first look, for tests: what it saw may be of long ago.
func (o *Operation) loadAfter(w packedState) (now packedState, end *generationEnd) {
	if w.status().Terminal() || o.generation == nil {
		return w, nil
	}
	end = o.generation.ended()
	if end == nil {
		return w, nil
	}
	w = packedState(o.state.Load())
	if w.status().Terminal() {
		return w, nil
	}
	return w, end
}

// reason returns why the operation ended, or zero.
func (o *Operation) reason() Reason {
	w, end := o.load()
	if end != nil {
		return end.reason
	}
	return w.reason()
}

// closeDone closes the channel that Done has made, if it has, once. The mutex is held.
func (o *Operation) closeDone() {
	if o.done != nil && o.flags.Load()&doneClosed == 0 {
		o.flags.Or(doneClosed)
		close(o.done)
	}
}

// closed is the channel of what is no operation.
var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// packedState is what of an operation fits into one atomic word: status, reason, and whether it was
// started.
type packedState uint32

const startedBit = 1 << 16

func newState(s Status, r Reason, started bool) packedState {
	w := packedState(s) | packedState(r)<<8
	if started {
		w |= startedBit
	}
	return w
}

func (w packedState) status() Status { return Status(w & 0xff) }
func (w packedState) reason() Reason { return Reason(w >> 8 & 0xff) }
func (w packedState) started() bool  { return w&startedBit != 0 }
