package queuetest

import "time"

// silence cancels an operation that is dead when its Start is called, and some that are heard, at
// several moments, and counts what is heard of them after that.
func silence(r *fixture) {
	r.t.Helper()
	from := r.heard()
	r.media.cancelsBefore(r.queue)
	dead := r.lasts()
	r.started(dead)
	r.released(dead)
	if !r.fallsSilent(from, 0, "it was cancelled just before its Start was called") {
		return
	}
	for moment := range 4 {
		op := r.lasts()
		if !r.begun(op) {
			return
		}
		if !r.isHeard() {
			r.t.Fatalf("queuetest: the harness's FramesSent counts nothing in %v of Lasts", r.h.Timeout)
		}
		r.pass(time.Duration(moment) * r.quiet() / 6)
		r.queue.CancelAll()
		from := r.heard()
		r.released(op)
		if !r.fallsSilent(from, r.h.MaxTail, "it was cancelled while it was heard") {
			return
		}
	}
}

// fallsSilent reports if more than tail was heard of an operation since from, when it was ended, or
// anything after now, when it was reported: whichever the harness holds the media to.
func (r *fixture) fallsSilent(from, tail int, when string) bool {
	r.t.Helper()
	reported := r.heard()
	r.pass(2 * r.quiet())
	now := r.heard()
	switch {
	case r.h.MaxTail < 0 && now > reported:
		r.broke("media that has reported a task is silent", "%d more was heard after the report; %s",
			now-reported, when)
		return false
	case r.h.MaxTail >= 0 && now-from > tail:
		r.broke("Task.Live is asked right before each frame: once CancelAll has returned, no more "+
			"is heard than was on its way", "%d frames were heard after that, at most %d may be; %s",
			now-from, tail, when)
		return false
	}
	return true
}

// heard returns what was heard of the media so far.
func (r *fixture) heard() int { return r.h.FramesSent(r.media.media) }

// isHeard waits until more is heard, and reports whether it is.
func (r *fixture) isHeard() bool {
	for from, end := r.heard(), time.Now().Add(r.h.Timeout); r.heard() == from; {
		if time.Now().After(end) {
			return false
		}
		r.pass(r.quiet() / 50)
	}
	return true
}
