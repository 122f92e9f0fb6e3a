package operation

import (
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
// be copied: the pointer is the identity. Nobody needs to release it.
type Operation struct {
	// Written once, before the operation is shared.
	id            uuid.UUID
	request       Request
	clientContext string
	accepted      time.Time
	generation    *Generation // nil for an operation born completed

	// word is status, reason and whether it was started. Written by the queue, under its mutex.
	word atomic.Uint32

	lends bool // ctx or value was given

	// Each is written before the word that shows it, and never after.
	started, ended time.Duration // since accepted
	position       time.Duration // of the Result
	outcome        *outcome      // the rest of the Result, nil if nothing

	progress atomic.Int64 // twice the live position, and toldBit; written by the media

	done atomic.Pointer[chan struct{}] // made by Done
	task atomic.Pointer[taskContext]   // made by Control.Context

	// mu guards ctx and value, which are let go when the last event was told, and is held by a reader
	// who closes what Done has made.
	mu sync.Mutex

	ctx   context.Context //nolint:containedctx // lends its values to the operation, never its end
	value any
}

// outcome holds what most results do not have.
type outcome struct {
	err       error
	recording Recording
}

// ID returns the operation's id.
func (o *Operation) ID() uuid.UUID {
	if o == nil {
		return uuid.Nil
	}
	return o.id
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

// Value returns the datum that the platform gave with the request, so that it needs no map from
// operations to its own things. It is let go, and nil, once the last event of the operation was
// told.
func (o *Operation) Value() any {
	if o == nil || !o.lends {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.value
}

// Context returns a context with the values of the one that was given to Enqueue: trace ids and
// the like. It never ends: not with Enqueue's context, and not with the operation. Its values are
// let go once the last event of the operation was told.
func (o *Operation) Context() context.Context {
	if o == nil || !o.lends {
		return context.Background()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ctx == nil {
		return context.Background()
	}
	return context.WithoutCancel(o.ctx)
}

// Position returns how far the media has come, as it last told. After the end it may still move a
// little, until the media fell silent; Result().Position does not.
func (o *Operation) Position() time.Duration {
	if o == nil {
		return 0
	}
	return time.Duration(o.progress.Load() >> 1)
}

// toldBit is set in progress from when the media has told it until somebody has looked whether it
// has. So both are one store.
const toldBit = 1

// Status returns where the operation is in its life, at this instant.
func (o *Operation) Status() Status {
	if o == nil {
		return 0
	}
	w, dead := o.look()
	if dead != 0 {
		return dead.Status()
	}
	return w.status()
}

// Times returns when the operation was accepted, started and ended. A time that has not come, or
// never came, is zero.
func (o *Operation) Times() Times {
	if o == nil {
		return Times{}
	}
	w, dead := o.look()
	t := Times{Accepted: o.accepted}
	if w.started() {
		t.Started = o.accepted.Add(o.started)
	}
	switch {
	case dead != 0:
		t.Ended = o.generation.ending.Load().at
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
	w, dead := o.look()
	if dead != 0 {
		return Result{Reason: dead}, true
	}
	if !w.status().Terminal() {
		return Result{}, false
	}
	var r Result
	o.result(w, &r)
	return r, true
}

// result fills in the result of an operation that ended by its own word.
func (o *Operation) result(w word, r *Result) {
	*r = Result{Reason: w.reason(), Position: o.position}
	if o.outcome != nil {
		r.Err, r.Recording = o.outcome.err, o.outcome.recording
	}
}

// Err returns nil while the operation lives and when it completed, and an *[Error] when it failed:
// errors.Is finds the reason in it, and the cause that the media told.
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
	d := o.done.Load()
	if d == nil {
		made := make(chan struct{})
		if d = &made; !o.done.CompareAndSwap(nil, d) {
			d = o.done.Load() // another reader's, or the shared closed one
		}
	}
	// The end may have come before the channel was there to be closed: look again, also where the
	// channel is another reader's, who may be just about to.
	if *d != closed && o.reason() != 0 {
		o.mu.Lock() // whoever has had it knows that the channel is closed
		o.closeDone()
		o.mu.Unlock()
	}
	return *d
}

// Wait blocks until the operation has ended or ctx has, and returns the operation's result and
// [Operation.Err], or the cause of ctx. An operation that has ended is told even if ctx has too.
func (o *Operation) Wait(ctx context.Context) (Result, error) {
	if o == nil {
		return Result{}, errors.New("operation: nil operation")
	}
	if ctx == nil {
		return Result{}, errors.New("operation: nil context")
	}
	if _, ended := o.Result(); !ended {
		if err := await(ctx, o.Done()); err != nil {
			return Result{}, err
		}
	}
	r, _ := o.Result()
	return r, o.Err()
}

// await waits for done, or for the end of ctx, whose cause it returns. A context that panics, as a
// typed nil does, is an error.
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
		return context.Cause(ctx)
	}
}

// look is the reading protocol. It returns the operation's own word and, where that is not
// terminal but the operation's generation has been ended, the reason of that.
//
// The generation is one word for all operations of a queue that were live together, so that one
// store ends them all. Between reading the own word and the generation's, the operation may have
// ended by itself just before its generation did: the second look at the own word tells. Without
// it a reader would see a completed operation as cancelled.
func (o *Operation) look() (w word, dead Reason) {
	w = word(o.word.Load())
	if w.status().Terminal() || o.generation == nil {
		return w, 0
	}
	dead = o.generation.reason()
	if dead == 0 {
		return w, 0
	}
	w = word(o.word.Load())
	if w.status().Terminal() {
		return w, 0
	}
	return w, dead
}

// reason returns why the operation ended, or zero.
func (o *Operation) reason() Reason {
	w, dead := o.look()
	if dead != 0 {
		return dead
	}
	return w.reason()
}

// closeDone closes the channel that Done has made, if it has. Whoever swaps it for the shared
// closed one closes it, so it is closed once. It returns false if that was somebody else, who may
// not have closed it yet.
func (o *Operation) closeDone() bool {
	if o.done.Load() == nil {
		return true // a Done that comes later looks again
	}
	d := o.done.Swap(&closed)
	if *d == closed {
		return false
	}
	close(*d)
	return true
}

// closed is the channel of all that is done before anyone asked.
var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// word is what of an operation fits into one atomic word: status, reason, and whether it was
// started.
type word uint32

const startedBit = 1 << 16

func newWord(s Status, r Reason, started bool) word {
	w := word(s) | word(r)<<8
	if started {
		w |= startedBit
	}
	return w
}

func (w word) status() Status { return Status(w & 0xff) }
func (w word) reason() Reason { return Reason(w >> 8 & 0xff) }
func (w word) started() bool  { return w&startedBit != 0 }
