package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/google/uuid"

	"ivrqueue/operation"
)

// Queue is one call's queue of media operations. New makes it; Close, or Seal and the end of the
// last operation, end it. It must not be copied. All methods are safe for concurrent use; only
// Shutdown waits.
//
// It is a shell around the machine, which decides: each method takes the lock, gives the machine
// one input, and commits. Who makes the calls that are due then, dispatch.go says.
type Queue struct {
	_          [(64 - unsafe.Sizeof(queueState{})%64) % 64]byte
	queueState //nolint:embeddedstructfieldcheck // an empty array at the end would take a word
}

// queueState is a queue without the room that makes its size a multiple of 64 bytes, so that two
// calls never share a cache line: where they do, both cost 1.6 times as much.
type queueState struct {
	callID string

	mu sync.Mutex // guards everything below, and every write to an operation

	machine  machine
	media    Media    // dropped when done
	link     *link    // for the tasks
	armed    *timeout // of the current operation, or nil
	dispatch dispatchState
	done     chan struct{} // made by Done
}

// link is how a task finds its queue. It is cut when the queue is done, so that a task that is kept
// keeps its operation alone.
type link struct{ queue atomic.Pointer[Queue] }

// shellState is what few queues need of the shell.
type shellState struct {
	stuck    int // media callbacks under way whose operation was abandoned
	warnings *warnings
}

// New makes the queue of a call. callID names the call in events and logs and must not be empty.
// The media must not be nil, nor hold a nil pointer, map, function, channel or slice: also a type
// whose methods can do with that is refused, since it is a mistake far more often. An idle queue
// holds no goroutine and no timer.
func New(callID string, media Media, opts ...Option) (*Queue, error) {
	switch {
	case callID == "":
		return nil, errors.New("queue: New: empty call id")
	case isNil(media):
		return nil, fmt.Errorf("queue: New: nil media (%T)", media)
	}
	c := defaults
	if len(opts) > 0 {
		var err error
		if c, err = newConfig(opts); err != nil {
			return nil, err
		}
	}
	q := new(Queue)
	q.callID, q.media, q.link = callID, media, new(link)
	q.link.queue.Store(q)
	_, q.machine.blocking = media.(blocking)
	q.machine.config, q.dispatch.seam = c, c.seam != nil
	q.machine.log.init(len(c.observers))
	return q, nil
}

// CallID returns the id that New was given.
func (q *Queue) CallID() string { return q.callID }

// Enqueue accepts an operation at the tail and starts it if the media is free. It does not block.
// The operation has ctx's values, never its end; if ctx has ended already, nothing is accepted.
// The request belongs to the library from here on. A request that barges in is an [Queue.Interrupt]
// whose receipt is discarded.
//
// Errors: the request's own, naming the field; [ErrClosed], [ErrFull], [ErrDuplicateID]; the cause
// of ctx. With an error nothing has changed.
func (q *Queue) Enqueue(
	ctx context.Context, req operation.Request, opts ...EnqueueOption,
) (*operation.Operation, error) {
	e, bargesIn, err := prepare(ctx, req, opts)
	if err != nil {
		return nil, err
	}
	if bargesIn {
		_, err = q.interrupt(e, hasID(opts))
	} else {
		err = q.enqueue(e, hasID(opts))
	}
	if err != nil {
		return nil, err
	}
	return e.operation(), nil
}

func (q *Queue) enqueue(e *entry, idGiven bool) error {
	q.lock(byCaller)
	m := &q.machine
	if err := m.admit(e, idGiven, m.config.maxPending); err != nil {
		q.unlock(byCaller)
		return err
	}
	at := time.Now()
	m.enqueue(e, at)
	q.commit(byCaller, at, nil, nil)
	return nil
}

// Interrupt is CancelAll, with [operation.BargedIn], and Enqueue in one step: no operation of
// another producer gets between. The receipt names those that were ended. It is refused for the
// same reasons as Enqueue, save that a full queue never refuses it; a refused Interrupt has
// cancelled nothing.
func (q *Queue) Interrupt(
	ctx context.Context, req operation.Request, opts ...EnqueueOption,
) (*operation.Operation, Receipt, error) {
	e, _, err := prepare(ctx, req, opts)
	if err != nil {
		return nil, Receipt{}, err
	}
	cancelled, err := q.interrupt(e, hasID(opts))
	if err != nil {
		return nil, Receipt{}, err
	}
	return e.operation(), Receipt{cancelled: cancelled}, nil
}

func (q *Queue) interrupt(e *entry, idGiven bool) (cancelled []*entry, err error) {
	b := new(cancelBlock)
	q.lock(byCaller)
	if err := q.machine.admit(e, idGiven, 0); err != nil {
		q.unlock(byCaller)
		return nil, err
	}
	at := time.Now()
	cancelled, awaited := q.machine.interrupt(e, b, at)
	q.commit(byCaller, at, b, awaited)
	return cancelled, nil
}

// CancelAll ends everything that runs or waits at one instant, with [operation.Cancelled]. On
// return: every reader sees all of them failed with 400/8508, [Task.Live] says no, their Done
// channels are closed and their contexts over, and what is accepted from now on is untouched. It is
// never refused; on an empty or closed queue the receipt names none. Its options are those of
// Enqueue, for the cancel's own operation. It does not wait for the media to fall silent; the
// Released event follows then.
func (q *Queue) CancelAll(opts ...EnqueueOption) Receipt {
	spec := operation.Spec{Request: operation.CancelMediaProcessing(), Context: context.Background()}
	apply(&spec, opts)
	own := new(operation.Control)
	own.Init(spec)
	b := new(cancelBlock)

	q.lock(byCaller)
	at := time.Now()
	cancelled, awaited := q.machine.cancelAll(operation.Cancelled, b, at)
	own.Complete(at)
	q.commit(byCaller, at, b, awaited)
	return Receipt{own.Operation(), cancelled}
}

// Cancel ends the one operation with this id, running or waiting, with [operation.Cancelled], and
// returns it; the order of the rest is kept. For an id that nothing live has it is [ErrNotFound].
func (q *Queue) Cancel(id uuid.UUID) (*operation.Operation, error) {
	q.lock(byCaller)
	at := time.Now()
	e := q.machine.cancel(id, at)
	if e == nil {
		q.unlock(byCaller)
		return nil, ErrNotFound
	}
	q.commit(byCaller, at, nil, []*entry{e})
	return e.operation(), nil
}

// Seal makes the queue accept nothing more, Interrupt included. It closes when the last operation
// has ended: the goodbye before the hang-up. A looping play never ends by itself.
func (q *Queue) Seal() {
	q.lock(byCaller)
	at := time.Now()
	q.machine.seal(at)
	q.commit(byCaller, at, nil, nil)
}

// Close ends the queue: everything that runs or waits fails at one instant, with the
// [operation.Reason] that [operation.FindReason] finds in cause, else with [operation.CallEnded].
// It does not wait; see Done. The receipt names those that were ended, so it
// is empty when Close is called again.
func (q *Queue) Close(cause error) Receipt {
	why, ok := operation.FindReason(cause) // before the lock: it is code of others
	if !ok {
		why = operation.CallEnded
	}
	b := new(cancelBlock)

	q.lock(byCaller)
	at := time.Now()
	cancelled, awaited := q.machine.close(why, cause, b, at)
	q.commit(byCaller, at, b, awaited)
	return Receipt{cancelled: cancelled}
}

// Done returns a channel that is closed when the queue is closed, its media has reported or was
// abandoned, and no callback is under way: no goroutine or timer of the queue is left then, save
// goroutines inside media that was abandoned.
func (q *Queue) Done() <-chan struct{} {
	q.lock(byCaller)
	defer q.unlock(byCaller)
	if q.done == nil {
		q.done = make(chan struct{})
		if q.dispatch.done {
			close(q.done)
		}
	}
	return q.done
}

// Shutdown seals the queue, waits until it is done or ctx is, and then closes it with cause. It
// returns nil if the queue was done in time, else the cause of ctx and the receipt of those that
// Close ended; what is left to do then, Done tells.
func (q *Queue) Shutdown(ctx context.Context, cause error) (Receipt, error) {
	over, err := doneOf(ctx)
	if err != nil {
		return Receipt{}, err
	}
	q.Seal()
	done := q.Done()
	select {
	case <-done:
		return Receipt{}, nil
	case <-over:
	}
	select {
	case <-done: // both: it was in time
		return Receipt{}, nil
	default:
		return q.Close(cause), causeOf(ctx)
	}
}

// Operation returns the running or waiting operation with this id. It looks at one after the other.
func (q *Queue) Operation(id uuid.UUID) (*operation.Operation, bool) {
	q.lock(byCaller)
	defer q.unlock(byCaller)
	if e := q.machine.find(id); e != nil {
		return e.operation(), true
	}
	return nil, false
}

// Snapshot is one instant of a queue.
type Snapshot struct {
	CallID   string
	Running  *operation.Operation   // live, and has the media; or nil
	Stopping *operation.Operation   // has ended, but its media is not through; or nil
	Waiting  []*operation.Operation // in queue order
	Sealed   bool                   // accepts nothing more
	Closed   bool

	Abandoned   int // tasks whose media was abandoned
	LateReports int // reports that came twice or too late, before Done, and changed nothing
	Undelivered int // operations whose end the slowest observer has yet to get
}

// Snapshot returns what the queue holds at one instant.
func (q *Queue) Snapshot() Snapshot {
	q.lock(byCaller)
	defer q.unlock(byCaller)
	m := &q.machine
	s := Snapshot{
		CallID: q.callID, Sealed: m.phase >= phaseSealed, Closed: m.phase >= phaseClosed,
		Undelivered: m.log.undelivered,
	}
	if e := m.current; e != nil {
		if e.control.Live() {
			s.Running = e.operation()
		} else {
			s.Stopping = e.operation()
		}
	}
	for e := m.waiting.head; e != nil; e = e.next {
		s.Waiting = append(s.Waiting, e.operation())
	}
	if m.cold != nil {
		s.Abandoned, s.LateReports = m.cold.abandoned, m.cold.late
	}
	return s
}

// report applies what a task's media reported.
func (q *Queue) report(e *entry, r *operation.Result) {
	q.lock(byCaller)
	at := now(e)
	q.commitEnd(q.machine.report(e, r, at), e, at)
}

// blockingEnded applies what a Blocking function reported that ran on a goroutine of its own.
func (q *Queue) blockingEnded(e *entry, r *operation.Result) {
	q.lock(byCaller)
	at := now(e)
	q.commitEnd(q.blockingReport(e, r, at), e, at)
}

// commitEnd commits what may have been the end of an operation.
func (q *Queue) commitEnd(ended bool, e *entry, at time.Time) {
	if ended && e.control.HasWaiters() {
		q.commit(byCaller, at, nil, []*entry{e})
		return
	}
	q.commit(byCaller, at, nil, nil)
}

// prepare makes an entry of what the caller gave, without the lock: everything that can be wrong
// with it is found here.
func prepare(
	ctx context.Context, req operation.Request, opts []EnqueueOption,
) (e *entry, bargesIn bool, err error) {
	if err = alive(ctx); err != nil {
		return nil, false, err
	}
	bargesIn, err = validate(req)
	if err != nil {
		return nil, false, err
	}
	spec := operation.Spec{Request: req, Context: ctx}
	apply(&spec, opts)
	if err = operation.ValidateClientContext(spec.ClientContext); err != nil {
		return nil, false, err
	}
	e = new(entry)
	e.control.Init(spec)
	return e, bargesIn, nil
}

// validate asks the request, which may be of a kind that we do not know.
func validate(req operation.Request) (bargesIn bool, err error) {
	if req == nil {
		return false, errors.New("queue: nil request")
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("queue: request %T panicked: %v", req, v)
		}
	}()
	if err := req.Validate(); err != nil {
		return false, err
	}
	if req.Kind() == "" {
		return false, fmt.Errorf("queue: request %T has an empty kind", req)
	}
	b, ok := req.(operation.Interrupter)
	return ok && b.BargesIn(), nil
}

func (q *Queue) shellState() *shellState { return &q.machine.coldState().shell }

// now is the time at which something happens to an operation: its acceptance, and the time since,
// by the monotonic clock alone. That is 30 ns instead of 57, since the wall clock is not read
// again.
func now(e *entry) time.Time {
	accepted := e.control.Accepted()
	return accepted.Add(time.Since(accepted))
}

// actor is who takes the lock. Only tests look at it, which hold goroutines up there, to try
// schedules that a machine would show once in a million calls.
type actor uint64

const byCaller actor = 0 // or an actor of dispatch.go or timeout.go

// lock takes the lock.
func (q *Queue) lock(by actor) {
	if q.dispatch.seam {
		q.machine.config.seam(by)
	}
	q.mu.Lock()
}

// unlock releases it.
func (q *Queue) unlock(by actor) {
	q.mu.Unlock()
	if q.dispatch.seam {
		q.machine.config.seam(by)
	}
}
