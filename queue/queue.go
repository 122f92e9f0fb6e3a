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

	"ivrqueue/internal/foreign"
	"ivrqueue/operation"
	"ivrqueue/tone"
)

// Queue is one call's queue of media operations. New makes it; Close, or Seal and the end of the
// last operation, end it. It must not be copied; the methods of the zero Queue panic. All methods
// are safe for concurrent use; only Shutdown waits. A [Group] holds the queues of many calls.
type Queue struct {
	_          [(64 - unsafe.Sizeof(queueState{})%64) % 64]byte
	queueState //nolint:embeddedstructfieldcheck // an empty array at the end would take a word
}

// queueState is a queue without the room that makes its size a multiple of 64 bytes, so that two
// calls never share a cache line: where they do, both cost 1.6 times as much.
//
// It is a shell around the machine, which decides: each method takes the lock, gives the machine
// one input, and commits. Who makes the calls that are due then, dispatch.go says.
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

// link is how a task finds its queue. It is cut when the queue is done and no media that was
// abandoned has yet to report, so that a task that is kept keeps its operation alone.
type link struct{ queue atomic.Pointer[Queue] }

// shellState is what few queues need of the shell.
type shellState struct {
	stuck    int           // media callbacks under way whose operation was abandoned
	prepare  *preparations // nil until needed
	warnings *warnings
	group    *Group // that has it, or nil
}

// busy reports whether a warning is undelivered, or a Prepare under way.
func (s *shellState) busy() bool {
	return s.warnings.pending() || s.prepare.busy()
}

// New makes the queue of a call. callID names the call in events and logs, in 1 to [MaxCallID]
// bytes: often the other side chose it, and each line of the log has it. The media must not be nil,
// nor hold a nil pointer, map, function, channel or slice: also a type whose methods can do with
// that is refused, since it is a mistake far more often. An idle queue holds no goroutine and no
// timer.
func New(callID string, media Media, opts ...Option) (*Queue, error) {
	switch {
	case callID == "":
		return nil, errors.New("queue: New: empty call id")
	case len(callID) > MaxCallID:
		return nil, fmt.Errorf("queue: New: call id of %d bytes, must have at most %d",
			len(callID), MaxCallID)
	case foreign.IsNil(media):
		if _, ok := media.(blocking); ok {
			return nil, errors.New("queue: New: the function of Blocking is nil")
		}
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
	q.machine.serves = servedBy(media)
	q.machine.config, q.dispatch.plain = c, c.seam == nil
	q.machine.log.init(len(c.observers))
	return q, nil
}

// CallID returns the id that New was given.
func (q *Queue) CallID() string { return q.callID }

// String names the call, for logs and tests: a queue that is given to package fmt would be read
// without its lock otherwise.
func (q *Queue) String() string {
	if q == nil {
		return "no queue"
	}
	return fmt.Sprintf("queue of call %q", q.callID)
}

// Enqueue accepts an operation at the tail and starts it if the media is free. It does not block.
// The operation has ctx's values, never its end; if ctx has ended already, nothing is accepted.
// The request must not be changed from here on, and may be enqueued again. A request that barges in
// is an [Queue.Interrupt] whose receipt is discarded.
//
// Errors: the request's own, naming the field; an option that is not for Enqueue; [ErrClosed],
// [ErrFull], [ErrDuplicateID], [ErrKeyReused]; the cause of ctx. With an error nothing has changed.
func (q *Queue) Enqueue(
	ctx context.Context, req operation.Request, opts ...EnqueueOption,
) (*operation.Operation, error) {
	p, err := newEntry(ctx, req, opts, ofEnqueue)
	if err != nil {
		return nil, err
	}
	return q.enqueue(p, false)
}

// EnqueueNext is Enqueue ahead of all that waits, protected or not: the operation is next when the
// media is free. Of several the last one is first. A request that barges in is an [Queue.Interrupt]
// here too: it comes after the last protected one.
func (q *Queue) EnqueueNext(
	ctx context.Context, req operation.Request, opts ...EnqueueOption,
) (*operation.Operation, error) {
	p, err := newEntry(ctx, req, opts, ofEnqueueNext)
	if err != nil {
		return nil, err
	}
	return q.enqueue(p, true)
}

func (q *Queue) enqueue(p prepared, next bool) (*operation.Operation, error) {
	if p.bargesIn {
		op, _, err := q.interrupt(p)
		return op, err
	}
	e := p.entry
	q.lock(byCaller)
	m := &q.machine
	if p.keyed != nil {
		if first, err := q.repeated(p.keyed); err != nil {
			return nil, err
		} else if first != nil {
			return first.operation, nil
		}
	}
	if err := m.admit(e, p.idGiven, false, m.config.maxPending); err != nil {
		q.unlock(byCaller)
		return nil, err
	}
	at := time.Now()
	m.enqueue(e, next, at)
	if p.keyed != nil {
		m.remember(p.keyed, e.operation(), nil, at)
	}
	q.commit(byCaller, at, nil, nil)
	return e.operation(), nil
}

// Interrupt is CancelAll, with [operation.BargedIn], and Enqueue in one step: no operation of
// another producer gets between. The receipt names those that were ended. What is [Protected] is
// left alone: it runs on or is yet to run, and the new operation comes after the last of them. It
// is refused for the same reasons as Enqueue, save that a full queue refuses it only if protected
// operations fill it; a refused Interrupt has cancelled nothing.
func (q *Queue) Interrupt(
	ctx context.Context, req operation.Request, opts ...EnqueueOption,
) (*operation.Operation, Receipt, error) {
	p, err := newEntry(ctx, req, opts, ofInterrupt)
	if err != nil {
		return nil, Receipt{}, err
	}
	return q.interrupt(p)
}

func (q *Queue) interrupt(p prepared) (*operation.Operation, Receipt, error) {
	e := p.entry
	b := new(cancelBlock)
	by := causedBy(e.operation(), p.kind)
	q.lock(byCaller)
	m := &q.machine
	if p.keyed != nil {
		if first, err := q.repeated(p.keyed); err != nil {
			return nil, Receipt{}, err
		} else if first != nil {
			return first.operation, Receipt{cancelled: first.cancelled}, nil
		}
	}
	if err := m.admit(e, p.idGiven, true, m.config.maxPending); err != nil {
		q.unlock(byCaller)
		return nil, Receipt{}, err
	}
	at := time.Now()
	cancelled, awaited := m.interrupt(e, &by, b, at)
	if p.keyed != nil {
		m.remember(p.keyed, e.operation(), cancelled, at)
	}
	q.commit(byCaller, at, b, awaited)
	return e.operation(), Receipt{cancelled: cancelled}, nil
}

// repeated returns the answer of the first call, and releases the lock, if the call repeats one.
// With an error it releases the lock too.
func (q *Queue) repeated(k *keyed) (first *answer, err error) {
	first, err = q.machine.repeats(k, time.Now())
	if first != nil || err != nil {
		q.unlock(byCaller)
	}
	return first, err
}

// causedBy is what an operation ends, as its cause.
func causedBy(o *operation.Operation, k operation.Kind) operation.Cause {
	return operation.Cause{ID: o.ID(), Kind: k, ClientContext: o.ClientContext()}
}

// CancelAll ends everything that runs or waits at one instant, with [operation.Cancelled]. On
// return: every reader sees all of them failed with 400/8508, [Task.Live] says no, their Done
// channels are closed and their contexts over, and what is accepted from now on is untouched. It is
// never refused; on an empty or closed queue the receipt names none. Options: what the cancel's own
// operation is to have (which no event is about: its Value stays for as long as it is kept),
// [Because], [CausedBy], and [SpareProtected], with which all that is true of what is not
// protected. It does not wait for the media to fall silent; the Released event follows
// then.
func (q *Queue) CancelAll(opts ...EnqueueOption) Receipt {
	spec := operation.Spec{Request: operation.CancelMediaProcessing(), Context: contextOf(opts)}
	_ = apply(&spec, opts) // it is never refused; here and below what is wrong is left out
	own := new(operation.Control)
	own.Init(spec)
	how, _ := endingOf(opts, ofCancelAll)
	if how.by == nil {
		by := causedBy(own.Operation(), operation.KindCancelMediaProcessing)
		how.by = &by
	}
	k, _ := keyedBy(opts, ofCancelAll, operation.KindCancelMediaProcessing)
	b := new(cancelBlock)
	b.detail.by, b.detail.cancel = own.Operation(), own

	q.lock(byCaller)
	at := time.Now()
	m := &q.machine
	if k != nil {
		first, err := m.repeats(k, at)
		if first != nil {
			q.unlock(byCaller)
			return Receipt{first.operation, first.cancelled}
		}
		if err != nil || q.dispatch.done {
			k = nil // nothing is to be remembered
		}
	}
	cancelled, awaited := m.cancelAll(how, b, at)
	own.Complete(at)
	if k != nil {
		m.remember(k, own.Operation(), cancelled, at)
	}
	q.commit(byCaller, at, b, awaited)
	if len(cancelled) == 0 { // no event names it
		own.ReleaseContext()
	}
	return Receipt{own.Operation(), cancelled}
}

// Cancel ends the one operation with this id, running or waiting, protected or not, with
// [operation.Cancelled], and returns it; the order of the rest is kept. For an id that nothing live
// has it is [ErrNotFound]. Options: [Because], [CausedBy].
func (q *Queue) Cancel(id uuid.UUID, opts ...EnqueueOption) (*operation.Operation, error) {
	how, err := endingOf(opts, ofCancel)
	if err != nil {
		return nil, err
	}
	q.lock(byCaller)
	at := time.Now()
	e := q.machine.cancel(id, how, at)
	if e == nil {
		q.unlock(byCaller)
		return nil, fmt.Errorf("%w (id %v)", ErrNotFound, id)
	}
	q.commit(byCaller, at, nil, []*entry{e})
	return e.operation(), nil
}

// Pause holds what waits and what is accepted from now on: the running operation goes on, and none
// begins after it until Resume. It changes nothing else: the queue accepts, cancels and interrupts
// as ever, and what barges in waits too. A cancel does not end it. A queue that is sealed while it
// is paused waits for Resume, or for Close, which Shutdown calls at the end of its context; on a
// closed queue it does nothing.
func (q *Queue) Pause() {
	q.lock(byCaller)
	q.machine.pause()
	q.unlock(byCaller)
}

// Resume ends a Pause: if the media is free, the first that waits begins.
func (q *Queue) Resume() {
	q.lock(byCaller)
	at := time.Now()
	q.machine.resume(at)
	q.commit(byCaller, at, nil, nil)
}

// PauseOperation has the media pause the operation with this id, which must be running: it falls
// silent and keeps its place; see [Pauser]. The operation stays running, and what waits behind it
// waits on. Its run timeout does not count until it is resumed. All that ends a running operation
// ends it: cancels, interrupts, keys, Close. To pause twice is to pause once.
//
// Errors, with which nothing has changed: [ErrNotFound] if no live operation has this id, as after
// its end; [ErrNotRunning] if it waits; [ErrNotPausable]. It does not wait for the media.
func (q *Queue) PauseOperation(id uuid.UUID) error { return q.pauseOperation(id, true) }

// ResumeOperation has the media go on with an operation that was paused, for which the run timeout
// begins anew. On one that was not it does nothing. Its errors are those of PauseOperation.
func (q *Queue) ResumeOperation(id uuid.UUID) error { return q.pauseOperation(id, false) }

func (q *Queue) pauseOperation(id uuid.UUID, pause bool) error {
	q.lock(byCaller)
	at := time.Now()
	if err := q.machine.pauseOperation(id, pause); err != nil {
		q.unlock(byCaller)
		return fmt.Errorf("%w (id %v)", err, id)
	}
	q.commit(byCaller, at, nil, nil)
	return nil
}

// Tone reports a key that was pressed. If the operation that runs has it among its
// stop tones (see [operation.PlayPrompt] and [operation.ToneStopper]), and the tone was
// published after the operation started, that ends, completed with [operation.KeyPressed]: at
// once for every reader, the media falls silent and reports, the Released event follows, and
// what waits begins then. Other keys, and what waits, are left alone; so is a record, whose media
// listens for its stop tones. A tone without a time is published now; what is no tone changes
// nothing.
//
// Hand it to the call's tone stream: stream.Handle(tone.All, q.Tone). It does not block, and the
// stream does not wait for it: there is no way from a queue back into a stream.
func (q *Queue) Tone(e tone.Event) {
	q.lock(byCaller)
	at := time.Now()
	pressed := q.machine.key(e, at)
	if pressed == nil {
		q.unlock(byCaller)
		return
	}
	q.commit(byCaller, at, nil, []*entry{pressed})
}

// CancelWhere ends the operations that a predicate chooses, in one step, with
// [operation.Cancelled]; the order of the rest is kept. The predicate is asked once for each
// operation that runs or waits at the time of the call, in queue order, on this goroutine and with
// no lock held: it may block, and call everything of the queue. An operation that comes meanwhile
// is not asked for. Then those chosen that have not ended end at one time, with consecutive events,
// and the receipt names exactly them. Whoever reads their states one by one may see the first ended
// a moment before the last; CancelAll is the one that no reader sees half of. Options:
// [SpareProtected], [Because], [CausedBy].
//
// A nil predicate, one that panics, and an option that is not for CancelWhere, or wrong, are
// errors; nothing has ended then.
func (q *Queue) CancelWhere(
	where func(op *operation.Operation) bool, opts ...EnqueueOption,
) (Receipt, error) {
	if where == nil {
		return Receipt{}, errors.New("queue: CancelWhere: nil predicate")
	}
	how, err := endingOf(opts, ofCancelWhere)
	if err != nil {
		return Receipt{}, err
	}
	q.lock(byCaller)
	live := q.machine.liveEntries(how.spare)
	q.unlock(byCaller)
	chosen, err := choose(live, where)
	if err != nil || len(chosen) == 0 {
		return Receipt{}, err
	}
	b := new(cancelBlock)

	q.lock(byCaller)
	at := time.Now()
	cancelled := q.machine.cancelChosen(chosen, how, b, at)
	q.commit(byCaller, at, b, cancelled)
	return Receipt{cancelled: cancelled}, nil
}

// choose returns those that the predicate, which is code of others, chooses.
func choose(
	from []*entry, where func(op *operation.Operation) bool,
) (chosen []*entry, err error) {
	defer func() {
		if v := recover(); v != nil {
			chosen, err = nil, fmt.Errorf("queue: CancelWhere: the predicate panicked: %v", v)
		}
	}()
	for _, e := range from {
		if where(e.operation()) {
			chosen = append(chosen, e)
		}
	}
	return chosen, nil
}

// Seal makes the queue accept nothing more, Interrupt included. It closes when the last operation
// has ended: the goodbye before the hang-up. Loops end at their next boundary, completed, and what
// waits behind them begins, with media that asks [Active.LastLoop] or is a [LoopEnder]; with other
// media a looping play never ends by itself.
func (q *Queue) Seal() { q.seal(byCaller) }

func (q *Queue) seal(by actor) {
	q.lock(by)
	at := time.Now()
	q.machine.seal(at)
	q.commit(by, at, nil, nil)
}

// Close ends the queue: everything that runs or waits fails at one instant, with the
// [operation.Reason] that [operation.FindReason] finds in cause, else with [operation.CallEnded].
// It does not wait; see Done. The receipt names those that were ended, so it
// is empty when Close is called again.
func (q *Queue) Close(cause error) Receipt {
	return q.close(byCaller, closedFor(cause))
}

// closedFor is the result of a queue that is closed with this cause. It asks the cause, which is
// code of others: it must be called without a lock.
func closedFor(cause error) operation.Result {
	why, ok := operation.FindReason(cause)
	if !ok {
		why = operation.CallEnded
	}
	return operation.Result{Reason: why, Err: sound(cause)}
}

func (q *Queue) close(by actor, r operation.Result) Receipt {
	b := new(cancelBlock)
	q.lock(by)
	at := time.Now()
	cancelled, awaited := q.machine.close(r.Reason, r.Err, b, at)
	q.commit(by, at, b, awaited)
	return Receipt{cancelled: cancelled}
}

// Done returns a channel that is closed when the queue is closed, its media has reported or was
// abandoned, and no callback is under way: no goroutine or timer of the queue is left then, save
// goroutines inside media that was abandoned, or inside a Prepare that was.
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
// Close ended; Done is closed when the rest is done.
func (q *Queue) Shutdown(ctx context.Context, cause error) (Receipt, error) {
	over, err := doneOf(ctx)
	if err != nil {
		return Receipt{}, err
	}
	q.Seal()
	if inTime(q.Done(), over) {
		return Receipt{}, nil
	}
	return q.Close(cause), causeOf(ctx)
}

// inTime waits until one of the two is closed, and reports whether done is: of both, it is.
func inTime(done, over <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-over:
	}
	select {
	case <-done:
		return true
	default:
		return false
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
	Paused   bool                   // what waits is held
	Closed   bool

	RunningPaused bool // PauseOperation was called for Running, and not ResumeOperation since

	Abandoned   int // tasks whose media was abandoned
	LateReports int // reports that came twice, or after the media was abandoned
	Undelivered int // operations whose end the slowest observer has yet to get
}

// Snapshot returns what the queue holds at one instant.
func (q *Queue) Snapshot() Snapshot {
	q.lock(byCaller)
	defer q.unlock(byCaller)
	m := &q.machine
	s := Snapshot{
		CallID: q.callID, Sealed: m.phase >= phaseSealed, Closed: m.phase >= phaseClosed,
		Paused: m.paused, Undelivered: m.log.undelivered,
	}
	if e := m.current; e != nil {
		if e.control.Live() {
			s.Running, s.RunningPaused = e.operation(), e.optional.has(wantsPause)
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

// commitEnd commits what may have been the end of an operation, or its release.
func (q *Queue) commitEnd(notify bool, e *entry, at time.Time) {
	if notify && e.control.HasWaiters() {
		q.commit(byCaller, at, nil, []*entry{e})
		return
	}
	q.commit(byCaller, at, nil, nil)
}

// prepared is an operation that may be admitted, and what its request and the options say.
type prepared struct {
	entry    *entry
	kind     operation.Kind
	keyed    *keyed // nil without an idempotency key
	bargesIn bool
	idGiven  bool
}

// newEntry makes an entry of what the caller gave, without the lock: everything that can be wrong
// with it is found here.
func newEntry(
	ctx context.Context, req operation.Request, opts []EnqueueOption, call calls,
) (p prepared, err error) {
	spec := operation.Spec{Request: req}
	if ctx != context.Background() { // which needs no asking, and has no values
		if err = alive(ctx); err != nil {
			return p, err
		}
		spec.Context = ctx
	}
	if err = p.validate(req); err != nil {
		return p, err
	}
	if err = checkOptions(opts, call); err != nil {
		return p, err
	}
	if p.keyed, err = keyedBy(opts, call, p.kind); err != nil {
		return p, err
	}
	if err = apply(&spec, opts); err != nil {
		return p, err
	}
	e := new(entry)
	if e.stopTones, err = stopTonesOf(req); err != nil {
		return p, err
	}
	e.protected = has(opts, setProtected)
	e.control.Init(spec)
	p.entry, p.idGiven = e, has(opts, setID)
	return p, nil
}

// validate asks the request, which may be of a kind that we do not know.
func (p *prepared) validate(req operation.Request) (err error) {
	if req == nil {
		return errors.New("queue: nil request")
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("queue: request %T panicked: %v", req, v)
		}
	}()
	if err := req.Validate(); err != nil {
		return err
	}
	p.kind = req.Kind()
	if err := operation.ValidateKind(p.kind); err != nil { // no fault of whoever asked for it
		return fmt.Errorf("queue: request %T: %s", req, err.Error())
	}
	b, ok := req.(operation.Interrupter)
	p.bargesIn = ok && b.BargesIn()
	return nil
}

// stopTonesOf asks the request which tones end it.
func stopTonesOf(req operation.Request) (set tone.Set, err error) {
	r, ok := req.(operation.ToneStopper)
	if !ok {
		return 0, nil
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("queue: request %T panicked: %v", req, v)
		}
	}()
	set = r.StopsOn()
	return set, operation.ValidateStopTones(set)
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

const byCaller actor = 0 // or an actor of dispatch.go, timeout.go or group.go

// lock takes the lock.
func (q *Queue) lock(by actor) {
	if !q.dispatch.plain {
		q.seam(by)
	}
	q.mu.Lock()
}

// unlock releases it.
func (q *Queue) unlock(by actor) {
	q.mu.Unlock()
	if !q.dispatch.plain {
		q.seam(by)
	}
}

// seam is where a test holds up who takes or releases the lock, and where a queue that New did not
// make is found out, before anything is locked.
func (q *Queue) seam(by actor) {
	if q.machine.config == nil {
		panic("queue: a Queue that New did not make")
	}
	q.machine.config.seam(by)
}
