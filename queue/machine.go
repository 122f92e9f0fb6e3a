package queue

import (
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
)

// machine is the state of one call's queue, and every decision about it. It is pure: no lock, no
// clock, no timer, no goroutine, no callback. The shell in queue.go calls one method for each
// input, under its lock, with the time at which it happens, and then does what the state asks for:
//
//   - the call that due names is to be made (dispatch.go),
//   - the log's records are to be delivered (dispatch.go),
//   - the timeout is to be armed or disarmed (timeout.go),
//   - the Done channels of the entries that an input returned are to be closed.
//
// docs/machine.md has its states and inputs as a table.
type machine struct {
	config     *config
	generation *operation.Generation // of the live operations; nil if the next one begins it
	current    *entry                // the operation that has the media
	waiting    list
	log        log
	cold       *coldState // nil until needed
	phase      phase
	timeout    timeoutKind // what is to be armed for the current operation
	blocking   bool        // its media needs no Stop: the context tells it
}

// phase is how far a queue has come in its life. The shell adds one more, when nothing of a drained
// queue is under way any more: done.
type phase uint8

const (
	phaseOpen    phase = iota
	phaseSealed        // accepts nothing more; closes when the last operation has ended
	phaseClosed        // every operation has ended; the media may still be busy with one
	phaseDrained       // the media is free, and Closed is logged
)

// timeoutKind is what ends or frees the current operation if nothing else does.
type timeoutKind uint8

const (
	noTimeout   timeoutKind = iota
	runTimeout              // its media shows neither progress nor end
	stopTimeout             // its media was to fall silent, or to return from a callback
)

// mediaCall is a call that the media is due.
type mediaCall uint8

const (
	callNone mediaCall = iota
	callStart
	callStop
)

// admit says whether an operation may be accepted. Nothing changes.
func (m *machine) admit(e *entry, idGiven bool, maxPending int) error {
	switch {
	case m.phase != phaseOpen:
		return ErrClosed
	case maxPending > 0 && m.waiting.n >= maxPending:
		return ErrFull
	case m.config.maxUndelivered > 0 && m.log.undelivered > m.config.maxUndelivered:
		return ErrFull
	case idGiven && m.find(e.operation().ID()) != nil:
		return ErrDuplicateID
	}
	return nil
}

// enqueue accepts an operation that was admitted, and starts it if the media is free.
func (m *machine) enqueue(e *entry, at time.Time) {
	if m.generation == nil {
		m.generation = new(operation.Generation)
	}
	e.control.Accept(m.generation, at)
	if m.current != nil {
		m.waiting.push(e)
		m.log.append(record{entry: e, kinds: logAccepted})
		return
	}
	m.begin(e, at)
	m.log.append(record{entry: e, kinds: logAccepted | logStarted}) // one record for one instant
}

// cancelAll ends every operation, in block b. It returns them, the running one first, and those of
// them that somebody waits for.
func (m *machine) cancelAll(
	why operation.Reason, b *cancelBlock, at time.Time,
) (cancelled, awaited []*entry) {
	cancelled, awaited = m.endAll(why, b, at)
	m.advance(at)
	return cancelled, awaited
}

// interrupt is cancelAll and enqueue in one step.
func (m *machine) interrupt(
	e *entry, b *cancelBlock, at time.Time,
) (cancelled, awaited []*entry) {
	cancelled, awaited = m.endAll(operation.BargedIn, b, at)
	m.enqueue(e, at)
	return cancelled, awaited
}

// cancel ends the operation with this id, or returns nil.
func (m *machine) cancel(id uuid.UUID, at time.Time) *entry {
	e := m.find(id)
	if e == nil {
		return nil
	}
	if e != m.current {
		m.waiting.remove(e)
	}
	m.end(e, operation.Cancelled, at)
	m.advance(at)
	return e
}

// seal makes the queue accept nothing more. It closes when the last operation has ended.
func (m *machine) seal(at time.Time) {
	if m.phase == phaseOpen {
		m.phase = phaseSealed
	}
	m.advance(at)
}

// close ends every operation and the queue. The second time it changes nothing.
func (m *machine) close(
	why operation.Reason, cause error, b *cancelBlock, at time.Time,
) (cancelled, awaited []*entry) {
	if m.phase >= phaseClosed {
		return nil, nil
	}
	m.phase = phaseClosed
	m.coldState().closing = &operation.Result{Reason: why, Err: cause}
	cancelled, awaited = m.endAll(why, b, at)
	m.advance(at)
	return cancelled, awaited
}

// callEntered notes that a call which was due is being made.
func (m *machine) callEntered(e *entry, c mediaCall) {
	if c == callStart {
		e.media |= startEntered
	} else {
		e.media |= stopEntered
	}
}

// callReturned notes that a call has returned. A Start that failed has reported, unless it had
// before; failed is nil if it did not. It returns whether that was the end of the operation.
func (m *machine) callReturned(
	e *entry, c mediaCall, failed *operation.Result, at time.Time,
) (ended bool) {
	if c == callStart {
		e.media |= startReturned
	} else {
		e.media |= stopReturned
	}
	if e.media.has(abandoned) {
		if failed != nil {
			e.media |= reported // there is nothing to stop
		}
		return false
	}
	if failed != nil && !e.media.has(reported) {
		ended = m.applyReport(e, failed, at)
	}
	m.advance(at)
	return ended
}

// returnNeedsTime reports whether the return of a call can start or close something, which is when
// its time is needed.
func (m *machine) returnNeedsTime() bool { return m.waiting.head != nil || m.phase != phaseOpen }

// report applies what the media reported, of which it keeps nothing: a zero reason means that it
// did what was asked for, any other is valid. Only its first report of an operation counts, and
// only while the operation has the media. It returns whether that was the end of the operation.
func (m *machine) report(e *entry, r *operation.Result, at time.Time) (ended bool) {
	if e.media&(reported|abandoned) != 0 {
		e.media |= reported
		m.coldState().late++
		return false
	}
	ended = m.applyReport(e, r, at)
	m.advance(at)
	return ended
}

// stopTimedOut takes the media from an operation whose media did not fall silent, or did not
// return, in time.
func (m *machine) stopTimedOut(e *entry, at time.Time) {
	if e == m.current && m.timeout == stopTimeout {
		m.abandon(e, at)
		m.advance(at)
	}
}

// runTimedOut ends an operation whose media showed neither progress nor end. Of one that has ended
// the media did not return from a callback. It returns whether the operation ended.
func (m *machine) runTimedOut(e *entry, at time.Time) (ended bool) {
	if e != m.current || m.timeout != runTimeout {
		return false
	}
	if ended = e.control.Live(); ended {
		m.end(e, operation.TimedOut, at)
	} else {
		m.abandon(e, at)
	}
	m.advance(at)
	return ended
}

// eventsDelivered notes what of a batch an observer got.
func (m *machine) eventsDelivered(observer int, b *batch) {
	m.log.advance(observer, b)
	if m.log.keepsRoom() && m.live() == 0 {
		m.log.dropRoom()
	}
}

// due returns the call that the media is due for the current operation. It is no list of calls but
// a comparison: what the operation needs against what the media got.
func (m *machine) due() mediaCall {
	e := m.current
	switch {
	case e == nil:
		return callNone
	case !e.media.has(startEntered):
		return callStart
	case e.media&(startReturned|stopEntered|preempted) == startReturned|preempted:
		return callStop // it has not reported, or it would not be current
	default:
		return callNone
	}
}

// begin gives the media to an operation, which makes it running.
func (m *machine) begin(e *entry, at time.Time) {
	must(e.control.Start(at))
	m.current = e
	if m.config.runTimeout > 0 {
		m.timeout = runTimeout
	}
}

// free takes the media from the current operation.
func (m *machine) free() {
	m.current = nil
	m.timeout = noTimeout
}

// advance takes the machine as far as it can go: media that is through is free, free media gets the
// next operation, and a sealed or closed queue comes to its end.
func (m *machine) advance(at time.Time) {
	if e := m.current; e != nil && e.media.has(reported|startReturned) && !e.media.inCallback() {
		m.free()
	}
	if m.current == nil && m.waiting.head != nil {
		e := m.waiting.pop()
		m.begin(e, at)
		m.log.append(record{entry: e, kinds: logStarted})
	}
	if m.phase == phaseSealed && m.live() == 0 {
		m.phase = phaseClosed
		m.coldState().closing = &operation.Result{Reason: operation.Succeeded}
	}
	if m.phase != phaseClosed {
		return
	}
	if m.current != nil {
		m.watchCallback()
		return
	}
	m.phase = phaseDrained
	m.log.append(record{kinds: logClosed, detail: &detail{at: at, result: m.cold.closing}})
}

// live counts the operations that have not ended.
func (m *machine) live() int {
	n := m.waiting.n
	if m.current != nil && m.current.control.Live() {
		n++
	}
	return n
}

// find returns the live operation with this id, or nil.
func (m *machine) find(id uuid.UUID) *entry {
	if e := m.current; e != nil && e.operation().ID() == id && e.control.Live() {
		return e
	}
	for e := m.waiting.head; e != nil; e = e.next {
		if e.operation().ID() == id {
			return e
		}
	}
	return nil
}

// end ends one live operation which its media did not end.
func (m *machine) end(e *entry, why operation.Reason, at time.Time) {
	must(e.control.End(&operation.Result{Reason: why, Position: e.operation().Position()}, at))
	if e == m.current {
		m.preempt(e) // first, so that its values are kept while its media is not through
	}
	m.log.append(record{entry: e, kinds: logEnded})
}

// endAll ends every live operation at one instant.
func (m *machine) endAll(
	why operation.Reason, b *cancelBlock, at time.Time,
) (cancelled, awaited []*entry) {
	running := m.current
	if running != nil && !running.control.Live() {
		m.watchCallback()
		running = nil
	}
	n := m.live()
	if n == 0 {
		return nil, nil
	}
	cancelled = b.room(n)
	var position time.Duration
	if running != nil {
		position = running.operation().Position()
		cancelled = append(cancelled, running)
	}

	m.generation.End(why, at, position) // commit: from this store on, all of them are failed
	m.generation = nil

	cancelled, awaited = m.waiting.drain(cancelled)
	if running != nil {
		m.preempt(running)
	}
	b.detail = detail{at: at, cancelled: cancelled}
	m.log.append(record{kinds: logCancelled, detail: &b.detail})
	return cancelled, awaited
}

// preempt is for the current operation when it has ended and its media does not know. Media that
// did not get it never will; other media has the stop timeout to report.
func (m *machine) preempt(e *entry) {
	if !e.media.has(startEntered) {
		m.free()
		return
	}
	e.media |= preempted
	if m.blocking {
		e.media |= stopEntered | stopReturned
	}
	m.timeout = stopTimeout
}

// watchCallback sees to it that media which has reported, but does not return from its callback, is
// abandoned after the stop timeout.
func (m *machine) watchCallback() {
	if e := m.current; e != nil && !e.control.Live() && e.media.inCallback() {
		m.timeout = stopTimeout
	}
}

// applyReport makes the report of the current operation its end if it is live, else the release of
// its media. It returns whether it was the end.
func (m *machine) applyReport(e *entry, r *operation.Result, at time.Time) (ended bool) {
	e.media |= reported
	if r.Position <= 0 {
		r.Position = e.operation().Position()
	}
	if !e.control.Live() {
		if r.Reason == 0 {
			r.Reason = e.control.Reason() // it says no more than that it was preempted
		}
		m.release(e, r, at)
		return false
	}
	if r.Reason == 0 {
		r.Reason = operation.Succeeded
	}
	must(e.control.End(r, at))
	m.log.append(record{entry: e, kinds: logEnded})
	return true
}

// release logs that the media of a preempted operation is free, once. It is a function of its own,
// so that a report which ends its operation needs little of a stack.
//
//go:noinline
func (m *machine) release(e *entry, r *operation.Result, at time.Time) {
	released := &struct {
		detail detail
		result operation.Result
	}{detail{at: at}, *r}
	released.detail.result = &released.result
	m.log.append(record{entry: e, kinds: logReleased, detail: &released.detail})
}

// abandon takes the media from an operation whose media does not give it back.
func (m *machine) abandon(e *entry, at time.Time) {
	e.media |= abandoned
	if e.media&(preempted|reported) == preempted {
		m.release(e, &operation.Result{
			Reason: operation.Abandoned, Position: e.operation().Position(),
		}, at)
	}
	m.coldState().abandoned++
	m.free()
}

// coldState is what few queues need, or only at their end.
type coldState struct {
	closing   *operation.Result // of the Closed event
	abandoned int
	late      int // reports that came twice or too late
	shell     shellState
}

func (m *machine) coldState() *coldState {
	if m.cold == nil {
		m.cold = new(coldState)
	}
	return m.cold
}

// cancelBlock is what a cancel needs besides the operations that it ends: one allocation.
type cancelBlock struct {
	detail  detail
	timeout timeout
	few     [10]*entry
}

// room returns room for n operations.
func (b *cancelBlock) room(n int) []*entry {
	if n <= len(b.few) {
		return b.few[:0]
	}
	return make([]*entry, 0, n)
}

// must is for moves of the lifecycle that the machine makes sure of.
func must(err error) {
	if err != nil {
		panic("queue: broken invariant: " + err.Error())
	}
}
