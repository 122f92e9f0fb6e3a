package model

import (
	"errors"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// media is what the media was told of the operation that has it, and what it told.
type media struct {
	startEntered, startReturned bool
	stopEntered, stopReturned   bool
	overruled                   bool // ended over its head
}

// inCallback reports whether one of its callbacks has not returned.
func (m media) inCallback() bool {
	return m.startEntered && !m.startReturned || m.stopEntered && !m.stopReturned
}

// Due returns the step that the media's callbacks are due: EnterStart, EnterStop or nothing.
func (q *Queue) Due() (Step, bool) {
	m := q.media
	switch {
	case q.slot == 0:
		return Step{}, false
	case !m.startEntered:
		return Step{Do: EnterStart, Op: q.slot}, true
	case m.overruled && m.startReturned && !m.stopEntered && !q.life(q.slot).reported:
		return Step{Do: EnterStop, Op: q.slot}, true
	default:
		return Step{}, false
	}
}

// atMedia is what happens there.
func (q *Queue) atMedia(s Step, out *Outcome) {
	m, l := &q.media, q.life(s.Op)
	if s.Op != q.slot { // given up, or through long ago
		switch s.Do {
		case Report:
			if !q.parted { // nobody counts any more
				q.late++
			}
			l.reported = true
		case ReturnStart:
			out.StopLate = !s.Failed && !l.reported
		default:
		}
		return
	}
	switch s.Do {
	case EnterStart:
		m.startEntered = true
	case EnterStop:
		m.stopEntered = true
	case ReturnStop:
		m.stopReturned = true
	case ReturnStart:
		m.startReturned = true
		if s.Failed && !l.reported {
			q.report(s.Result, out)
		}
	default: // Report
		if l.reported {
			q.late++
			return
		}
		q.report(s.Result, out)
	}
}

// report is the first report of the operation that has the media: its end if it lives, else the
// release of its media.
func (q *Queue) report(r operation.Result, out *Outcome) {
	l := q.life(q.slot)
	l.reported = true
	if l.end == 0 {
		r = complete(r, operation.Succeeded, q.position())
		l.end = r.Reason
		out.tellResult(queue.Ended, q.slot, r)
		return
	}
	out.tellResult(queue.Released, q.slot, complete(r, l.end, q.position()))
}

// complete fills in what a report has left out.
func complete(
	r operation.Result, otherwise operation.Reason, position time.Duration,
) operation.Result {
	var found operation.Reason
	switch {
	case r.Reason.Valid():
	case r.Reason == 0 && r.Err == nil:
		r.Reason = otherwise
	case errors.As(r.Err, &found) && found.Status() == operation.Failed:
		r.Reason = found
	default:
		r.Reason = operation.Unspecified
	}
	if r.Position <= 0 {
		r.Position = position
	}
	return r
}

// overrule is for the operation that has the media and was ended over its head: media that knows
// nothing of it yet never will, other media has the stop timeout to report.
func (q *Queue) overrule() {
	if !q.media.startEntered {
		q.free()
		return
	}
	q.media.overruled = true
	q.timer = StopTimer
}

// watch gives media that has reported, but does not return, the stop timeout to do so.
func (q *Queue) watch() {
	if q.slot != 0 && q.timer != StopTimer && q.media.inCallback() {
		q.timer = StopTimer
	}
}

// timeOut ends the operation that has the media, or gives its media up.
func (q *Queue) timeOut(out *Outcome) {
	if q.timer == NoTimer {
		return
	}
	if q.alive(q.slot) {
		q.end(q.slot, operation.TimedOut, out)
		return
	}
	if !q.life(q.slot).reported {
		r := operation.Result{Reason: operation.Abandoned, Position: q.position()}
		out.tellResult(queue.Released, q.slot, r)
	}
	q.abandoned++
	q.free()
}

func (q *Queue) free() {
	q.slot, q.media, q.timer, q.progress = 0, media{}, NoTimer, 0
}

// settle ends every step: media that is through is free, free media gets the next operation, and a
// queue with nothing left that accepts nothing more is closed.
func (q *Queue) settle(out *Outcome) {
	if q.slot != 0 && q.life(q.slot).reported && !q.media.inCallback() {
		q.free()
	}
	if q.slot == 0 && q.pending > 0 {
		q.slot = q.waiting[0]
		q.leave(q.slot)
		q.life(q.slot).started = true
		if q.config.RunTimeout {
			q.timer = RunTimer
		}
		out.tell(queue.Started, q.slot)
	}
	if q.sealed && !q.closed && len(q.Live()) == 0 {
		q.closed, q.closing = true, operation.Succeeded
		q.watch()
	}
	if q.closed && !q.parted && q.slot == 0 {
		q.parted = true
		out.tellResult(queue.Closed, 0, operation.Result{Reason: q.closing, Err: q.cause})
	}
}
