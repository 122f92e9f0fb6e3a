package queue

import (
	"time"

	"ivrqueue/operation"
)

// The media belongs to one task at a time: the one in the slot. This file says who gets it, when it
// is free again, and what happens when media does not give it back. What the media is told is no
// list of calls but a comparison, made under the lock: what the slot's task wants against what the
// media was told.

// mediaCall is a call that the media is due.
type mediaCall uint8

const (
	callNone mediaCall = iota
	callStart
	callStop
)

// begin gives the media to it, which makes it running.
func (q *Queue) begin(it *item, at time.Time) {
	must(it.control.Start(at))
	q.slot = it
	if d := q.config.runTimeout; d > 0 {
		q.armRun(it, d)
	}
}

// due returns the call that the slot's task is due, if any.
func (q *Queue) due() mediaCall {
	it := q.slot
	switch {
	case it == nil:
		return callNone
	case !it.media.has(startEntered):
		return callStart
	case it.media&(startReturned|stopEntered|overruled) == startReturned|overruled:
		return callStop // it has not reported, or the slot would be free
	default:
		return callNone
	}
}

// settle frees the slot if its task is through with the media, gives it to the next one, and
// notices that a sealed or closed queue has come to its end.
func (q *Queue) settle(c *clock) {
	if it := q.slot; it != nil && it.media.has(reported|startReturned) && !it.media.inCallback() {
		q.free()
	}
	if q.slot == nil && q.waiting.head != nil {
		it := q.waiting.pop()
		q.begin(it, c.now())
		q.append(entry{item: it, kinds: logStarted})
	}
	if q.sealed && !q.closed && q.live() == 0 {
		q.closed = true
		q.seldom().closing = operation.Result{Reason: operation.Succeeded}
		q.watchStuck()
	}
	if q.closed && !q.parted && q.slot == nil {
		q.parted = true
		q.append(entry{kinds: logClosed, detail: &detail{at: c.now(), result: q.rare.closing}})
	}
}

// free takes the media from the slot's task.
func (q *Queue) free() {
	q.disarm(q.slot)
	q.slot = nil
}

// live counts the operations that have not ended.
func (q *Queue) live() int {
	n := q.waiting.n
	if q.slot != nil && q.slot.control.Live() {
		n++
	}
	return n
}

// overrule is called when the slot's task was ended over its media's head. If the media has not
// been told of the task, it never will be; otherwise it has the stop timeout to report.
func (q *Queue) overrule(it *item) {
	if !it.media.has(startEntered) {
		q.free()
		return
	}
	it.media |= overruled
	q.armStop(it)
}

// report takes the end that media tells of it. Only the first report counts, and only while the
// slot is still that task's.
func (q *Queue) report(it *item, r operation.Result) {
	q.enter(0)
	if it.media&(reported|givenUp) != 0 {
		it.media |= reported
		q.seldom().late++
		q.leave(0)
		return
	}
	if fault := faultOf(r.Err); fault != "" { // of a Blocking function
		q.note("media "+fault, it, r.Err)
	}
	var c clock
	ended := q.take(it, &r, &c)
	q.settle(&c)
	if ended && it.control.Awaited() {
		q.unlock([]*item{it})
		return
	}
	q.unlock(nil)
}

// take books the report of the slot's task: as its end if it lives, else as the release of its
// media. It returns whether it was the end. The reason of r is valid, or zero, which says no more
// than that the operation is through.
func (q *Queue) take(it *item, r *operation.Result, c *clock) (ended bool) {
	it.media |= reported
	if r.Position <= 0 {
		r.Position = it.control.Operation().Position()
	}
	if it.control.Live() {
		if r.Reason == 0 {
			r.Reason = operation.Succeeded
		}
		must(it.control.End(r, c.after(it.control.Accepted())))
		q.append(entry{item: it, kinds: logEnded})
		return true
	}
	if r.Reason == 0 {
		r.Reason = it.control.Reason()
	}
	q.release(it, r, c)
	return false
}

// release tells that the media of a task that was ended over its head is free, once.
func (q *Queue) release(it *item, r *operation.Result, c *clock) {
	q.append(entry{item: it, kinds: logReleased, detail: &detail{at: c.now(), result: *r}})
}

// returned books the return of a callback. A Start that failed, for this reason, or panicked or
// exited, has reported, unless it had before.
func (q *Queue) returned(
	it *item, call mediaCall, err error, why operation.Reason, c *clock,
) (ended bool) {
	if call == callStop {
		it.media |= stopReturned
		return false
	}
	it.media |= startReturned
	if err == nil || it.media.has(reported) {
		return false
	}
	r := operation.Result{Reason: why, Err: err}
	if faultOf(err) != "" {
		r.Reason = operation.Panicked
	}
	return q.take(it, &r, c)
}

// giveUp frees the media of a task that did not report in time, or whose callback did not return.
// A goroutine that is still inside that callback has lost the media role with it.
func (q *Queue) giveUp(it *item, c *clock) {
	it.media |= givenUp
	if it.media.inCallback() {
		q.mediaBusy = false
	}
	if it.media&(overruled|reported) == overruled {
		r := operation.Result{Reason: operation.Abandoned, Position: it.control.Operation().Position()}
		q.release(it, &r, c)
	}
	q.seldom().abandoned++
	q.note("media given up", it, nil)
	q.free()
}

// armStop arms the stop timeout, in place of whatever is armed: it counts from the end over the
// media's head, or from the end of the call. It holds the task, never "the slot".
func (q *Queue) armStop(it *item) {
	q.disarm(it)
	it.media |= stopArmed
	q.finishing++
	it.timer = time.AfterFunc(q.config.stopTimeout, func() {
		q.enter(0)
		q.finishing--
		if q.slot == it {
			var c clock
			q.giveUp(it, &c)
			q.settle(&c)
		}
		q.unlock(nil)
	})
}

// armRun arms the run timeout, which looks four times in d whether the media has told progress.
func (q *Queue) armRun(it *item, d time.Duration) {
	const looks = 4
	idle := 0
	step := max(d/looks, 1)
	q.finishing++
	var t *time.Timer
	t = time.AfterFunc(step, func() {
		q.enter(0)
		if q.slot != it || it.timer != t {
			q.finishing-- // too late: somebody ended it a moment ago
			q.unlock(nil)
			return
		}
		if idle++; it.control.Progressed() {
			idle = 0
		}
		if idle < looks {
			t.Reset(step)
			q.unlock(nil)
			return
		}
		q.finishing--
		it.timer = nil
		var c clock
		if !it.control.Live() { // it has reported, but its Start does not return
			q.giveUp(it, &c)
			q.settle(&c)
			q.unlock(nil)
			return
		}
		q.end(it, operation.TimedOut, &c)
		q.settle(&c)
		q.unlock([]*item{it})
	})
	it.timer = t
}

// disarm stops the task's timeout. If its function is under way already, it counts until it has
// seen that it came too late.
func (q *Queue) disarm(it *item) {
	if it.timer == nil {
		return
	}
	if it.timer.Stop() {
		q.finishing--
	}
	it.timer = nil
}

// must is for moves that the lock makes sure of.
func must(err error) {
	if err != nil {
		panic("queue: broken invariant: " + err.Error())
	}
}
