package queue

import (
	"math"
	"math/bits"
	"time"

	"ivrqueue/operation"
)

// Who makes the calls. A dispatcher is a goroutine that makes the calls which are due, one after
// the other: events to observers, Start and Stop to the media, warnings to the logger. It exists
// only while there is something to call. A queue has two kinds, and at most one active of each: its
// own goroutine, and, for callbacks that are declared inline, whichever goroutine has changed the
// state.
//
// A callback that takes longer than a millisecond is noticed by the watch. Its dispatcher is
// detached then: it keeps its one role until the callback returns, and another dispatcher goes on
// with all the others. Every decision is made under the lock, every call without it.

// roles is a set of roles. At most one goroutine has a role, for as long as its callback is under
// way, so that calls of one kind never overlap.
type roles uint32

const (
	mediaRole roles = 1 << iota
	loggerRole
	observerRole // the first observer's, the inline one if there is one; the others' follow
)

// andBefore returns a role and all that are numbered before it.
func (r roles) andBefore() roles { return r | (r - 1) }

// dispatchState is what a queue knows of its dispatchers.
type dispatchState struct {
	held     roles // in a callback
	detached roles // of these, whose dispatcher is active no more

	finishing uint32 // timeouts armed or under way, and goroutines that are closing Done channels

	calls   uint16 // of own dispatchers; it may wrap, the watch only looks whether it has changed
	seen    uint16 // calls, when the watch last looked
	current uint8  // of the active own dispatcher: 1 + the number of its role, or 0 if in no callback
	own     bool   // its own dispatcher is active
	inline  bool   // an inline dispatcher is active
	watched bool
	done    bool // Done is closed, or would be
	plain   bool // New made the queue, and no test holds up whoever takes or releases the lock
}

// borrowedCalls is how many calls are made on a goroutine that is not ours before one of ours goes
// on: a producer must not work for others for ever.
const borrowedCalls = 256

// observer returns the index of the observer whose role it is.
func (r roles) observer() int { return bits.TrailingZeros32(uint32(r / observerRole)) }

// Actors, for tests: an own dispatcher that begins, and an inline one on a goroutine of ours.
const (
	byDispatcher       actor = 1 << 62
	byInlineDispatcher actor = 1 << 61
)

// commit ends every critical section that changed the state. It arms or disarms the timeout,
// sees to it that a dispatcher is there for what is due, releases the lock, closes the channels
// of what has ended or was released, and makes the calls that are this goroutine's to make. b
// has room for what a cancel arms.
func (q *Queue) commit(by actor, at time.Time, b *cancelBlock, awaited []*entry) {
	q.syncTimeout(b, at)
	if q.machine.serves&servesPrepare != 0 {
		q.syncPrepare()
	}
	q.hurryStop()
	inline := q.claimInline()
	spawn := q.claimOwn()
	if len(awaited) > 0 {
		q.dispatch.finishing++
		q.unlock(by)
		q.spawn(spawn)
		for _, e := range awaited {
			e.control.NotifyDone()
		}
		q.lock(by)
		q.dispatch.finishing--
		inline = inline || q.claimInline()
		spawn = q.claimOwn()
	}
	if !inline {
		q.closeDone()
		q.unlock(by)
		q.spawn(spawn)
		return
	}
	q.dispatchHere(by, spawn)
}

// dispatchHere makes inline calls on a goroutine that is not ours, unless that serves other calls
// too. It is a function of its own, so that commit needs little of a stack.
//
//go:noinline
func (q *Queue) dispatchHere(by actor, spawn bool) {
	if by == byGroup {
		q.unlock(by)
		q.spawn(spawn)
		go q.dispatchInline()
		return
	}
	var d dispatcher // field by field: a literal would be made beside it and copied
	d.queue, d.by, d.inline, d.left, d.spawn = q, by, true, borrowedCalls, spawn
	d.run()
}

// claimInline makes an inline dispatcher active, if there is something for it to do.
func (q *Queue) claimInline() bool {
	c := q.machine.config
	if !c.inlineMedia && !c.inlineObserver || q.dispatch.inline || q.inlineWork() == 0 {
		return false
	}
	q.dispatch.inline = true
	return true
}

// claimOwn makes an own dispatcher active, if there is something for it to do. The caller spawns
// it.
func (q *Queue) claimOwn() bool {
	d, m := &q.dispatch, &q.machine
	if d.own || d.inline && m.config.allInline && !m.blocking && m.cold == nil || q.ownWork(0) == 0 {
		return false
	}
	q.activateOwn()
	return true
}

// activateOwn makes an own dispatcher the active one, and has the watch look at its callbacks.
func (q *Queue) activateOwn() {
	d := &q.dispatch
	d.own = true
	if !d.watched {
		d.watched = true
		q.watch().add(q)
	}
}

// detach makes the own dispatcher, which is in a callback, active no more.
func (d *dispatchState) detach() {
	d.detached |= 1 << (d.current - 1)
	d.own, d.current = false, 0
}

// hurryStop detaches an own dispatcher that is in another callback while Stop is due: what the
// caller hears should not wait for the watch.
func (q *Queue) hurryStop() {
	d := &q.dispatch
	if d.own && d.current != 0 && d.held&mediaRole == 0 && q.machine.due() == callStop &&
		!q.mediaIsInline() {
		d.detach()
	}
}

// spawn starts the own dispatcher, if one was claimed.
func (q *Queue) spawn(claimed bool) {
	if claimed {
		go q.dispatchOwn()
	}
}

func (q *Queue) dispatchOwn() {
	q.lock(byDispatcher)
	d := dispatcher{queue: q, by: byDispatcher, left: math.MaxInt32}
	d.run()
}

// dispatchInPlace goes on in place of a dispatcher that was detached, with the media: where all
// observers block, each for the first time, the media does not wait for one after the other.
func (q *Queue) dispatchInPlace() {
	q.lock(byDispatcher)
	d := dispatcher{queue: q, by: byDispatcher, left: math.MaxInt32, last: ^roles(0)}
	d.run()
}

// dispatchInline goes on with inline callbacks on a goroutine of ours.
func (q *Queue) dispatchInline() {
	q.lock(byInlineDispatcher)
	d := dispatcher{queue: q, by: byInlineDispatcher, inline: true, left: math.MaxInt32}
	d.run()
}

// inlineWork returns the role of an inline callback that is due, or none. Events come first, but no
// goroutine that may have a media callback on its stack delivers events inline.
func (q *Queue) inlineWork() roles {
	m, held := &q.machine, q.dispatch.held
	if m.config.inlineObserver && held&observerRole == 0 && m.log.behind(0) && !q.mediaCallback() {
		return observerRole
	}
	if q.mediaIsInline() && held&mediaRole == 0 && m.due() != callNone {
		return mediaRole
	}
	return 0
}

// ownWork returns a role that has something to do and belongs to the own dispatcher, or none. It
// looks at them in turn, from the one after last, so that none waits for more than one batch of
// each of the others. Events for the inline observer are its own too, while no inline dispatcher is
// there.
func (q *Queue) ownWork(last roles) roles {
	m, d := &q.machine, &q.dispatch
	var due roles
	for i := range m.log.observers() {
		if m.log.behind(i) && (i > 0 || !m.config.inlineObserver || !d.inline) {
			due |= observerRole << i
		}
	}
	if !q.mediaIsInline() && m.due() != callNone {
		due |= mediaRole
	}
	if m.cold != nil && m.cold.shell.warnings.pending() {
		due |= loggerRole
	}
	if due &^= d.held; due == 0 {
		return 0
	}
	if due&mediaRole != 0 && m.due() == callStop {
		return mediaRole // the caller hears it
	}
	// Observers first, then the media, then the logger, then the observers again.
	const rest = observerRole - 1
	switch {
	case last >= observerRole && due&^last.andBefore() != 0:
		due &^= last.andBefore() // the observers after it
	case last >= observerRole && due&rest != 0:
		due &= rest
	case last == mediaRole && due&loggerRole != 0:
		return loggerRole
	case due&^rest != 0:
		due &^= rest
	}
	return due & -due
}

// mediaIsInline reports whether the media is called on the goroutine that changed the state. A
// Blocking function never is: it runs on the dispatcher.
func (q *Queue) mediaIsInline() bool {
	return q.machine.config.inlineMedia && !q.machine.blocking
}

// mediaCallback reports whether a media callback is under way, abandoned ones included.
func (q *Queue) mediaCallback() bool {
	return q.dispatch.held&mediaRole != 0 ||
		q.machine.cold != nil && q.machine.cold.shell.stuck > 0
}

// closeDone closes Done if there is nothing left to happen, save late reports, and cuts the link of
// the tasks once none of these is left either, so that one which media keeps keeps its operation
// alone.
func (q *Queue) closeDone() {
	m, d := &q.machine, &q.dispatch
	if d.done {
		q.cutLink()
		return
	}
	if m.phase != phaseDrained || d.own || d.inline || d.held != 0 || d.finishing > 0 ||
		!m.log.drained() || m.cold != nil && m.cold.shell.busy() {
		return
	}
	d.done = true
	q.media, m.generation = nil, nil
	m.cold.answers = nil // a drained queue has a cold state
	m.cold.shell.warnings = nil
	q.cutLink()
	if m.cold.shell.group != nil {
		q.leaveGroup()
	}
	if q.done != nil {
		close(q.done)
	}
}

// cutLink is for a queue that is done.
func (q *Queue) cutLink() {
	if cold := q.machine.cold; cold == nil || cold.owed == 0 {
		q.link.queue.Store(nil)
	}
}

// dispatcher makes calls. It lies on a new goroutine's stack, so it is packed.
type dispatcher struct {
	queue    *Queue
	by       actor
	left     int32 // how many calls it may still make
	last     roles // whose callback it made last, or ^0 to begin after the observers
	inline   bool
	over     bool // it was detached, and another one is active
	spawn    bool // an own dispatcher is to be spawned when it next releases the lock
	function bool // a Blocking function is to be run

	// The callback that it is in.
	call  mediaCall
	role  roles
	entry *entry
	batch batch
}

// run makes calls until none is due. The lock is held when it is called and released when it
// returns.
func (d *dispatcher) run() {
	for !d.makeCalls() {
		if d.function {
			d.runFunction()
		}
	}
}

// makeCalls makes calls until none is due, and returns true with the lock released. It returns
// false, with the lock held, when a callback has panicked, or when a Blocking function is due,
// which run has on a stack that is less deep. If a callback exits its goroutine, makeCalls does not
// return, and another goroutine goes on.
func (d *dispatcher) makeCalls() (finished bool) {
	defer func() {
		if d.role != 0 {
			panicked := recover()
			d.callbackFailed(panicked)
			finished = panicked == nil // GODEBUG=panicnil=1: recovered, though another goroutine goes on
		}
	}()
	q := d.queue
	for !d.over {
		if d.inline {
			d.last = q.inlineWork()
		} else {
			d.last = q.ownWork(d.last)
		}
		if d.last == 0 {
			d.deactivate()
			q.closeDone()
			break
		}
		if d.left <= 0 {
			d.handOver()
			return true
		}
		switch d.last {
		case mediaRole:
			if d.callMedia(); d.function {
				return false
			}
		case loggerRole:
			d.callLogger()
		default:
			d.callObserver(d.last)
		}
	}
	d.unlock()
	return true
}

func (d *dispatcher) deactivate() {
	q := d.queue
	if !d.inline {
		q.dispatch.own = false
		return
	}
	q.dispatch.inline = false
	if q.machine.log.behind(0) { // under a media callback, so these are not delivered inline
		d.claimOwn()
	}
}

// claimOwn makes an own dispatcher active, if there is something for it to do. It is spawned with
// the next release of the lock.
func (d *dispatcher) claimOwn() {
	if d.queue.claimOwn() {
		d.spawn = true
	}
}

// unlock releases the lock, and spawns the own dispatcher if an inline one has claimed it.
func (d *dispatcher) unlock() {
	q, spawn := d.queue, d.spawn
	d.spawn = false
	by := d.by | actor(d.role)
	q.unlock(by)
	q.spawn(spawn)
}

// enter begins a callback: it takes the role and releases the lock.
func (d *dispatcher) enter(role roles) {
	s := &d.queue.dispatch
	d.role = role
	s.held |= role
	if !d.inline {
		s.current = uint8(bits.Len32(uint32(role))) //nolint:gosec // at most 32
		s.calls++
	}
	d.unlock()
}

// leave ends a callback: it takes the lock and gives the role back. A dispatcher that was detached
// meanwhile is over, unless no other is active.
func (d *dispatcher) leave() {
	q, role := d.queue, d.role
	q.lock(d.by | actor(role))
	s := &q.dispatch
	d.role = 0
	if role == mediaRole && d.entry.media.has(abandoned) {
		q.machine.cold.shell.stuck-- // the role was taken away when it was abandoned
		d.rejoin()
		return
	}
	s.held &^= role
	if s.detached&role != 0 {
		s.detached &^= role
		d.rejoin()
		return
	}
	if !d.inline {
		s.current = 0
	}
}

// rejoin makes a detached dispatcher active again if no other is, else it is over.
func (d *dispatcher) rejoin() {
	s := &d.queue.dispatch
	if d.inline {
		d.over, s.inline = s.inline, true
	} else if d.over = s.own; !d.over {
		d.queue.activateOwn()
	}
}

// booked follows what the return of a media callback, or a warning, has changed.
func (d *dispatcher) booked(at time.Time) {
	d.queue.syncTimeout(nil, at)
	if d.queue.machine.serves&servesPrepare != 0 {
		d.queue.syncPrepare()
	}
	if d.inline {
		d.claimOwn()
	}
}

// callObserver delivers a batch of events.
func (d *dispatcher) callObserver(role roles) {
	q := d.queue
	i := role.observer()
	m := &q.machine
	m.log.nextBatch(i, &d.batch)
	observer := m.config.observers[i]
	e := Event{Queue: q}
	d.enter(role)
	for more := d.batch.next(&e); more; more = d.left > 0 && d.batch.next(&e) {
		if f, ok := observer.(ObserverFunc); ok {
			f(e) // the common form; its method would copy the event once more, onto a small stack
		} else {
			observer.Observe(e)
		}
		d.left--
	}
	d.leave()
	m.eventsDelivered(i, &d.batch)
}

// callMedia makes the call that the media is due.
func (d *dispatcher) callMedia() {
	q := d.queue
	m := &q.machine
	d.entry, d.call = m.current, m.due()
	media, task := q.media, Task{Active{d.entry.operation(), d.entry}, q.link}
	d.left--
	m.callEntered(d.entry, d.call)
	if _, d.function = media.(blocking); d.function {
		return
	}
	d.enter(mediaRole)
	switch d.call {
	case callStart:
		if err := media.Start(task); err != nil {
			d.startFailed(err)
			return
		}
	case callStop:
		media.Stop(task)
	default:
		d.callOptional(media)
	}
	d.leave()
	d.mediaReturned(nil)
	if d.entry.media&(abandoned|reported|stopEntered) == abandoned {
		d.stopLate(media, task)
	}
}

// callOptional makes a call of media that has it. It is a function of its own, so that Start and
// Stop need little of a stack.
//
//go:noinline
func (d *dispatcher) callOptional(media Media) {
	t := Task{Active{d.entry.operation(), d.entry}, d.queue.link}
	switch d.call {
	case callPause:
		media.(Pauser).Pause(t) //nolint:forcetypeassert // here and below: New has looked
	case callResume:
		media.(Pauser).Resume(t) //nolint:forcetypeassert // likewise
	default:
		media.(LoopEnder).EndLoop(t) //nolint:forcetypeassert // likewise
	}
}

// startFailed books a Start that returned an error. It is a function of its own, so that one which
// returned none needs little of a stack.
//
//go:noinline
func (d *dispatcher) startFailed(err error) {
	r := failed(err) // before the lock is taken: it asks the error
	d.leave()
	d.mediaReturned(&r)
}

// mediaReturned books that a media callback has returned, or what it did instead: failed is what a
// Start reported that did not succeed.
func (d *dispatcher) mediaReturned(failed *operation.Result) {
	q, e := d.queue, d.entry
	var at time.Time
	if failed != nil || q.machine.returnNeedsTime() {
		at = now(e)
	}
	notify := q.machine.callReturned(e, d.call, failed, at)
	d.booked(at)
	if notify {
		d.notifyDone(e)
	}
}

// notifyDone closes the channels of an operation that has ended or was released.
func (d *dispatcher) notifyDone(e *entry) {
	if !e.control.HasWaiters() {
		return
	}
	q := d.queue
	q.dispatch.finishing++
	d.unlock()
	e.control.NotifyDone()
	q.lock(d.by)
	q.dispatch.finishing--
	q.closeDone() // here too: if this dispatcher is over, the other one may have found it unfinished
}

// stopLate is for a Start, or an optional call, that returned after its operation was abandoned:
// the media gets Stop for it, and the queue has no part in that.
func (d *dispatcher) stopLate(media Media, t Task) {
	q := d.queue
	if !d.over {
		d.deactivate()
		d.claimOwn()
	}
	d.call = callStop
	q.machine.callEntered(d.entry, callStop)
	q.machine.cold.shell.stuck++
	d.role = mediaRole
	d.unlock()
	media.Stop(t)
	d.leave()
	d.mediaReturned(nil)
}

// runFunction runs a Blocking function on this goroutine. It may take as long as a prompt does, so
// the dispatcher is detached before; for the machine its Start returns at once, and its end is a
// report.
func (d *dispatcher) runFunction() {
	q, e := d.queue, d.entry
	f := q.media.(blocking) //nolint:forcetypeassert // callMedia has seen it
	d.function = false
	q.machine.callReturned(e, callStart, nil, time.Time{})
	q.dispatch.own = false
	spawn := q.claimOwn()
	q.unlock(d.by)
	q.spawn(spawn)

	r := operation.Result{Reason: operation.Panicked, Err: ErrExited}
	exited := true
	defer func() {
		if exited { // its goroutine: another one goes on
			d.functionReturned(e, &r)
			d.handOver()
		}
	}()
	f.perform(Task{Active{e.operation(), e}, q.link}, &r)
	exited = false
	d.functionReturned(e, &r)
}

// functionReturned applies what a Blocking function reported, with the lock held when it returns.
func (d *dispatcher) functionReturned(e *entry, r *operation.Result) {
	q := d.queue
	q.lock(d.by)
	at := now(e)
	notify := q.blockingReport(e, r, at)
	d.rejoin()
	d.booked(at)
	if notify {
		d.notifyDone(e)
	}
}

// blockingReport applies the report of a Blocking function, which may be that it panicked.
func (q *Queue) blockingReport(e *entry, r *operation.Result, at time.Time) (notify bool) {
	if isFault(r.Err) {
		q.warn("media "+fault(r.Err), e, r.Err)
	}
	return q.machine.report(e, r, at)
}

// callLogger hands one warning to the logger.
func (d *dispatcher) callLogger() {
	q := d.queue
	w := q.machine.cold.shell.warnings.next()
	logger := q.machine.config.logger
	d.enter(loggerRole)
	w.log(logger, q.callID)
	d.leave()
}

// callbackFailed is called by a deferred function if a callback panicked, or, with nil, if it is
// exiting its goroutine, in which case another goroutine goes on.
func (d *dispatcher) callbackFailed(panicked any) {
	q, role := d.queue, d.role
	err := failure(panicked)
	d.leave()
	switch {
	case role == mediaRole:
		q.warn("media "+fault(err), d.entry, err)
		var failed *operation.Result
		switch d.call {
		case callStart:
			failed = &operation.Result{Reason: operation.Panicked, Err: err}
		case callStop:
			q.stopFailed(d.entry, err)
		default:
		}
		d.mediaReturned(failed)
	case role >= observerRole:
		q.warn("an observer "+fault(err), nil, err)
		q.machine.eventsDelivered(role.observer(), &d.batch)
		d.booked(time.Time{})
	}
	if panicked == nil {
		d.handOver()
	}
}

// handOver has another goroutine go on, and releases the lock.
func (d *dispatcher) handOver() {
	switch {
	case d.over:
	case d.inline:
		go d.queue.dispatchInline()
	default:
		go d.queue.dispatchOwn()
	}
	d.unlock()
}
