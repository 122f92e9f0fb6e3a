package queue

import (
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/tone"
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
	blocking   bool        // its media needs no Stop: its context ends
	serves     optionalCalls
	paused     bool // what waits is held
}

// optionalCalls are those that the media has beside Start and Stop.
type optionalCalls uint8

const (
	servesPause optionalCalls = 1 << iota
	servesEndLoop
	servesPrepare
)

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
	callPause // here and below: of media that has it
	callResume
	callEndLoop
)

// admit says whether an operation may be accepted. Nothing changes. Where one barges in, what waits
// is what it has to spare.
func (m *machine) admit(e *entry, idGiven, bargesIn bool, maxPending int) error {
	waiting, full := m.waiting.n, "%d wait"
	if bargesIn {
		waiting = m.protectedWaiting()
		full = "%d protected ones wait"
	}
	switch {
	case m.phase != phaseOpen:
		return ErrClosed
	case maxPending > 0 && waiting >= maxPending:
		return fullError{full, maxPending}
	case m.config.maxUndelivered > 0 && m.log.undelivered > m.config.maxUndelivered:
		return fullError{"an observer is behind by more than %d ends", m.config.maxUndelivered}
	case idGiven && m.find(e.operation().ID()) != nil:
		return ErrDuplicateID
	}
	return nil
}

// enqueue accepts an operation that was admitted, at the tail or, if it is to be next, ahead of all
// that waits, and starts it if the media is free.
func (m *machine) enqueue(e *entry, next bool, at time.Time) {
	e.control.Accept(m.generationOf(e), at)
	if m.current == nil && m.waiting.head == nil && !m.paused {
		m.begin(e, at)
		m.log.append(record{entry: e, kinds: logAccepted | logStarted}) // one record for one instant
		return
	}
	if next {
		m.waiting.pushAhead(e)
	} else {
		m.waiting.push(e)
	}
	m.log.append(record{entry: e, kinds: logAccepted})
}

// ending is how operations are ended over their media's head.
type ending struct {
	why   operation.Reason // of the end
	by    *operation.Cause // or nil
	spare bool             // those that are protected
}

// cancelAll ends every operation, in block b. It returns them, the running one first, and those of
// them that somebody waits for.
func (m *machine) cancelAll(
	how ending, b *cancelBlock, at time.Time,
) (cancelled, awaited []*entry) {
	cancelled, awaited = m.endAll(how, b, at)
	m.advance(at)
	return cancelled, awaited
}

// interrupt is cancelAll, of what is not protected, and enqueue in one step.
func (m *machine) interrupt(
	e *entry, by *operation.Cause, b *cancelBlock, at time.Time,
) (cancelled, awaited []*entry) {
	how := ending{why: operation.BargedIn, by: by, spare: true}
	b.detail.by = e.operation()
	cancelled, awaited = m.endAll(how, b, at)
	m.enqueue(e, false, at)
	m.advance(at) // what was spared may be next
	return cancelled, awaited
}

// cancel ends the operation with this id, or returns nil.
func (m *machine) cancel(id uuid.UUID, how ending, at time.Time) *entry {
	e := m.find(id)
	if e == nil {
		return nil
	}
	if e != m.current {
		m.waiting.remove(e)
	}
	m.end(e, how, at)
	m.advance(at)
	return e
}

// key ends the running operation, completed, if the tone is one of its stop tones and was published
// after it started; a tone without a time is published now. It returns the operation, or nil: what
// waits has yet to begin, and what has ended is no longer heard.
func (m *machine) key(t tone.Event, at time.Time) *entry {
	e := m.current
	if e == nil || !e.stopTones.Contains(t.Tone) || !e.control.Live() ||
		!t.Time.IsZero() && !t.Time.After(e.control.Started()) {
		return nil
	}
	by := &operation.Cause{Tone: t.Tone, ToneSeq: t.Seq}
	m.end(e, ending{why: operation.KeyPressed, by: by}, at)
	m.advance(at)
	return e
}

// cancelChosen ends those of the chosen operations that are live still, in one step, in block b. It
// returns them, in the order in which they were chosen, in the same room.
func (m *machine) cancelChosen(
	chosen []*entry, how ending, b *cancelBlock, at time.Time,
) (cancelled []*entry) {
	cancelled = chosen[:0]
	for _, e := range chosen {
		if e.control.Live() {
			m.endOne(e, how, at)
			cancelled = append(cancelled, e)
		}
	}
	clear(chosen[len(cancelled):])
	if len(cancelled) == 0 {
		return nil
	}
	m.waiting.dropEnded()
	if cancelled[0] == m.current {
		m.preempt(m.current)
	}
	m.logCancelled(cancelled, b, at)
	m.advance(at)
	return cancelled
}

// seal makes the queue accept nothing more. It closes when the last operation has ended.
func (m *machine) seal(at time.Time) {
	if m.phase == phaseOpen {
		m.phase = phaseSealed
		if e := m.current; e != nil {
			m.endLoop(e)
		}
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
	cancelled, awaited = m.endAll(ending{why: why}, b, at)
	m.advance(at)
	return cancelled, awaited
}

// pause holds what waits and what comes; what runs goes on.
func (m *machine) pause() { m.paused = true }

// resume lets what waits go on.
func (m *machine) resume(at time.Time) {
	m.paused = false
	m.advance(at)
}

// pauseOperation has the media pause the running operation with this id, or resume it. Without a
// change nothing is due.
func (m *machine) pauseOperation(id uuid.UUID, pause bool) error {
	e := m.find(id)
	switch {
	case e == nil:
		return ErrNotFound
	case e != m.current:
		return ErrNotRunning
	case m.serves&servesPause == 0:
		return ErrNotPausable
	case pause == e.optional.has(wantsPause):
	case pause:
		e.optional |= wantsPause
		m.timeout = noTimeout // it makes no progress, and need not
	default:
		e.optional &^= wantsPause
		m.watchRun()
	}
	return nil
}

// callEntered notes that a call which was due is being made.
func (m *machine) callEntered(e *entry, c mediaCall) {
	switch c {
	case callStart:
		e.media |= startEntered
	case callStop:
		e.media |= stopEntered
	default:
		e.media |= inOptional
		e.optional = e.optional.enter(c)
	}
}

// callReturned notes that a call has returned. A Start that failed has reported, unless it had
// before; failed is nil if it did not. It returns what report does.
func (m *machine) callReturned(
	e *entry, c mediaCall, failed *operation.Result, at time.Time,
) (notify bool) {
	switch c {
	case callStart:
		e.media |= startReturned
	case callStop:
		e.media |= stopReturned
	default:
		e.media &^= inOptional
	}
	if failed != nil && !e.media.has(reported) {
		return m.report(e, failed, at)
	}
	if !e.media.has(abandoned) {
		m.advance(at)
	}
	return false
}

// returnNeedsTime reports whether the return of a call can start or close something, which is when
// its time is needed.
func (m *machine) returnNeedsTime() bool { return m.waiting.head != nil || m.phase != phaseOpen }

// report applies what the media reported, of which it keeps nothing: a zero reason means that it
// did what was asked for, any other is valid. Only its first report of an operation counts: as its
// end, as the release of its media, or, where the media was abandoned, as Late. It returns whether
// somebody may wait for that: for the end or the release.
func (m *machine) report(e *entry, r *operation.Result, at time.Time) (notify bool) {
	if e.media&(reported|abandoned) != 0 {
		m.lateReport(e, r, at)
		return false
	}
	m.applyReport(e, r, at)
	m.advance(at)
	return true
}

// lateReport is for a report that comes a second time, or after the media was abandoned.
func (m *machine) lateReport(e *entry, r *operation.Result, at time.Time) {
	m.coldState().late++
	if !e.media.has(reported) {
		e.media |= reported
		m.cold.owed--
		m.release(e, logLate, r, at)
	}
}

// stopTimedOut takes the media from an operation whose media did not fall silent, or did not
// return, in time; fault is what Stop did instead of returning, or nil. It returns whether somebody
// may wait for its release.
func (m *machine) stopTimedOut(e *entry, fault error, at time.Time) (notify bool) {
	if e == m.current && m.timeout == stopTimeout {
		notify = m.abandon(e, fault, at)
		m.advance(at)
	}
	return notify
}

// runTimedOut ends an operation whose media showed neither progress nor end. Of one that has ended
// the media did not return from a callback. It returns whether somebody may wait for that.
func (m *machine) runTimedOut(e *entry, at time.Time) (notify bool) {
	if e != m.current || m.timeout != runTimeout {
		return false
	}
	if notify = e.control.Live(); notify {
		m.end(e, ending{why: operation.TimedOut}, at)
	} else {
		notify = m.abandon(e, nil, at)
	}
	m.advance(at)
	return notify
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
	case e.media&(startReturned|stopEntered|preempted|inOptional) == startReturned|preempted:
		return callStop // it has not reported, or it would not be current
	case e.media&(startReturned|preempted|reported|inOptional) == startReturned:
		return dueOptional[e.optional&15]
	default:
		return callNone
	}
}

// toPrepare returns the operation that the media is to prepare, or nil: the one that will be next,
// if it has not been. Like due it is a comparison.
func (m *machine) toPrepare() *entry {
	e := m.waiting.head
	if e != nil && m.serves&servesPrepare != 0 && !e.optional.has(gotPrepare) {
		return e
	}
	return nil
}

// prepareEntered notes that Prepare is being called.
func (m *machine) prepareEntered(e *entry) { e.optional |= gotPrepare }

// begin gives the media to an operation, which makes it running.
func (m *machine) begin(e *entry, at time.Time) {
	must(e.control.Start(at))
	m.current = e
	m.watchRun()
	if m.phase == phaseSealed {
		m.endLoop(e)
	}
}

// endLoop has a loop end at its next boundary: the queue is sealed, so it could but hold up the
// end.
func (m *machine) endLoop(e *entry) {
	e.control.EndLoop()
	if m.serves&servesEndLoop != 0 {
		e.optional |= wantsEndLoop
	}
}

// watchRun has the run timeout, if there is one, armed for the current operation.
func (m *machine) watchRun() {
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
	if m.current == nil && m.waiting.head != nil && !m.paused {
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

// liveEntries returns the live operations, in order, save for those that are to be spared.
func (m *machine) liveEntries(spare bool) (all []*entry) {
	if e := m.current; e != nil && e.control.Live() && (!spare || !e.protected) {
		all = append(all, e)
	}
	for e := m.waiting.head; e != nil; e = e.next {
		if !spare || !e.protected {
			all = append(all, e)
		}
	}
	return all
}

// endOne ends one live operation which its media did not end.
func (m *machine) endOne(e *entry, how ending, at time.Time) {
	if e == m.current {
		m.stopping(e)
	}
	r := operation.Result{Reason: how.why, Position: e.operation().Position()}
	must(e.control.EndBy(&r, how.by, at))
}

// end is endOne, and what follows from it.
func (m *machine) end(e *entry, how ending, at time.Time) {
	m.endOne(e, how, at)
	if e == m.current {
		m.preempt(e) // first, so that its values are kept while its media is not through
	}
	m.log.append(record{entry: e, kinds: logEnded})
}

// endAll ends every live operation at one instant, save for those that are to be spared.
func (m *machine) endAll(
	how ending, b *cancelBlock, at time.Time,
) (cancelled, awaited []*entry) {
	running := m.current
	if running != nil && !running.control.Live() {
		m.watchCallback()
		running = nil
	}
	n := m.live()
	if how.spare {
		spared := m.protectedWaiting()
		if running != nil && running.protected {
			running = nil
			spared++
		}
		n -= spared
		how.spare = spared > 0
	}
	if n == 0 {
		return nil, nil
	}
	cancelled = b.room(n)
	var position time.Duration
	if running != nil {
		position = running.operation().Position()
		cancelled = append(cancelled, running)
		m.stopping(running)
	}

	m.endGeneration(how, at, position) // commit: from its store on, all of them are failed

	cancelled, awaited = m.waiting.drain(cancelled, how.spare)
	if running != nil {
		m.preempt(running)
	}
	m.logCancelled(cancelled, b, at)
	return cancelled, awaited
}

// logCancelled logs what a cancel has ended, in one record. The block has who did it, if that is an
// operation: it is no part of an ending, from which it would take the cause to the heap.
func (m *machine) logCancelled(cancelled []*entry, b *cancelBlock, at time.Time) {
	b.detail.at, b.detail.cancelled = at, cancelled
	m.log.append(record{kinds: logCancelled, detail: &b.detail})
}

// stopping is for the current operation right before it is ended by others than its media: whoever
// sees the end sees too that the media is not through.
func (m *machine) stopping(e *entry) {
	if e.media.has(startEntered) {
		e.control.Stopping()
	}
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
// its media.
func (m *machine) applyReport(e *entry, r *operation.Result, at time.Time) {
	e.media |= reported
	if !e.control.Live() {
		m.release(e, logReleased, r, at)
		return
	}
	if r.Position <= 0 {
		r.Position = e.operation().Position()
	}
	if r.Reason == 0 {
		r.Reason = operation.Succeeded
	}
	must(e.control.End(r, at))
	m.log.append(record{entry: e, kinds: logEnded})
	if e.optional.has(wantsPause) {
		m.watchRun() // it ended while it was paused, and its media is to return from its callback
	}
}

// release logs that the media of a preempted operation is free, once, or that it has reported after
// all. It is a function of its own, so that a report which ends its operation needs little of a
// stack.
//
//go:noinline
func (m *machine) release(e *entry, kind kinds, r *operation.Result, at time.Time) {
	if r.Position <= 0 {
		r.Position = e.operation().Position()
	}
	if r.Reason == 0 {
		r.Reason = e.control.Reason() // it says no more than that it was preempted
	}
	if m.log.observers() == 0 && kind == logReleased && e.control.Repeats(r) {
		e.control.Release(nil) // there is no observer, and the result has it all
		e.control.ReleaseValues()
		return
	}
	room := &struct {
		detail  detail
		release operation.Release
	}{detail{at: at}, operation.Release{Result: *r}}
	room.detail.result = &room.release.Result
	e.control.Release(&room.release)
	m.log.append(record{entry: e, kinds: kind, detail: &room.detail})
}

// abandon takes the media from an operation whose media does not give it back, with why, or nil. It
// returns whether that releases it.
func (m *machine) abandon(e *entry, why error, at time.Time) (released bool) {
	e.media |= abandoned
	if released = e.media&(preempted|reported) == preempted; released {
		m.release(e, logReleased, &operation.Result{Reason: operation.Abandoned, Err: why}, at)
		m.coldState().owed++
	}
	m.coldState().abandoned++
	m.free()
	return released
}

// coldState is what few queues need, or only at their end.
type coldState struct {
	protected *operation.Generation // of the protected operations; nil if there is none
	answers   *answers              // to calls with idempotency keys; nil if there was none
	closing   *operation.Result     // of the Closed event
	abandoned int
	owed      int // of these, whose media has yet to report
	late      int // reports that came twice, or after the media was abandoned
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
