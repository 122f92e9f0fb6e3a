package trace

import (
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// oneEnd: each accepted operation has one end, delivered once, and its events come in the order of
// a life.
func oneEnd(h *history) {
	for _, l := range h.lives {
		accepted := l.returned != never || l.seq(queue.Accepted) != 0
		for k := queue.Accepted; k <= queue.Released; k++ {
			if l.times[k] > 1 {
				h.violated("%s was %v %d times", l.name(), k, l.times[k])
			}
		}
		if !accepted {
			if l.times[queue.Ended] > 0 {
				h.violated("%s ended, which was never accepted", l.name())
			}
			continue
		}
		if h.done != never && (l.times[queue.Ended] == 0 || l.times[queue.Accepted] == 0) {
			h.violated("%s was accepted, with %d such events, and ended %d times",
				l.name(), l.times[queue.Accepted], l.times[queue.Ended])
		}
		last := uint64(0)
		for k := queue.Accepted; k <= queue.Released; k++ {
			if at := l.seq(k); at != 0 {
				if at < last {
					h.violated("%s was %v too early", l.name(), k)
				}
				last = at
			}
		}
		if l.seq(queue.Started) == 0 && l.times[queue.Ended] > 0 && !l.endedByQueue() {
			h.violated("%s ended with %v and was never started", l.name(), l.reason())
		}
	}
}

// readersAgree: what is read of an end agrees with its event, and an end is final.
func readersAgree(h *history) {
	ended := map[uuid.UUID]int{} // the first read that showed the end
	for at := range h.items {
		i := &h.items[at]
		if i.What != Read {
			continue
		}
		l := h.life(i.Op)
		first, before := ended[i.Op]
		switch {
		case i.Status.Terminal():
			if l.times[queue.Ended] > 0 && l.reason() != i.Reason {
				h.violated("%s was read as %v and delivered as %v", l.name(), i.Reason, l.reason())
			}
			if i.Reason.Status() != i.Status {
				h.violated("%s was read as %v because of %v", l.name(), i.Status, i.Reason)
			}
			if !before {
				ended[i.Op] = at
			}
		case before && h.called[i.Number] > first:
			h.violated("%s was read as %v after it had been read as ended", l.name(), i.Status)
		}
	}
}

// released: what was preempted after its Start was entered is released, and
// nothing else is. Stop is for those, and comes after Start.
func released(h *history) {
	for _, l := range h.lives {
		byQueue, released := l.endedByQueue(), l.times[queue.Released] > 0
		if released && (!byQueue || l.startEntered == never && !l.abandoned && !h.blind) {
			h.violated("%s was released, which ended with %v; its Start was entered: %v",
				l.name(), l.reason(), l.startEntered != never)
		}
		if h.done != never && !released && byQueue && l.startEntered != never {
			h.violated("%s was preempted and never released", l.name())
		}
		if l.stopEntered == never {
			continue
		}
		if l.stops > 1 {
			h.violated("Stop of %s was entered %d times", l.name(), l.stops)
		}
		if l.startReturned == never || l.stopEntered < l.startReturned {
			h.violated("Stop of %s was entered before its Start had returned", l.name())
		}
		if l.times[queue.Ended] > 0 && !byQueue {
			h.violated("Stop of %s was entered, which ended with %v", l.name(), l.reason())
		}
		for _, r := range l.reports {
			if h.after(l.stopEntered, r.returned) && !l.abandoned {
				h.violated("Stop of %s was entered after it had been reported", l.name())
				break
			}
		}
	}
}

// after reports whether a callback was entered after a stamp, though it was not on its way by then.
func (h *history) after(entered, stamp int) bool {
	return h.terms.OnItsWay > 0 && stamp != never && entered != never &&
		h.items[entered].At.Sub(h.items[stamp].At) > h.terms.OnItsWay
}

// firstReportCounts: what is delivered of a report is the first one's.
func firstReportCounts(h *history) {
	for _, l := range h.lives {
		if l.times[queue.Ended] > 0 && !l.endedByQueue() {
			h.mustBeFirst(l, queue.Ended)
		}
		if t := l.events[queue.Released]; t.seq != 0 && t.reason != operation.Abandoned {
			h.mustBeFirst(l, queue.Released)
		}
		if l.times[queue.Late] > 0 {
			h.mustBeFirst(l, queue.Late)
		}
	}
}

// mustBeFirst checks that an event shows a report that no other one came before. A Start that
// failed has reported without a call.
func (h *history) mustBeFirst(l *life, k queue.EventKind) {
	t := l.events[k]
	first := never // the earliest return of a report
	var shown *report
	for n := range l.reports {
		r := &l.reports[n]
		if r.returned != never && (first == never || r.returned < first) {
			first = r.returned
		}
		if r.position == t.position || r.position == 0 { // 0: whatever the last progress was
			shown = r
		}
	}
	startWasFirst := l.startFailed && (first == never || l.startReturned < first)
	switch {
	case shown == nil && !startWasFirst:
		h.violated("%s was %v with position %v, which no report had",
			l.name(), k, t.position)
	case shown != nil && first != never && shown.called > first:
		h.violated("%s was %v with position %v, and another report had come before",
			l.name(), k, t.position)
	case shown != nil && shown.called > t.at:
		h.violated("%s was %v before it was reported", l.name(), k)
	}
}

// lateReports: what media reports first after it was abandoned is delivered as Late, once, and
// nothing else is.
func lateReports(h *history) {
	for _, l := range h.lives {
		late, given := l.events[queue.Late], l.events[queue.Released]
		switch n := l.times[queue.Late]; {
		case n > 1:
			h.violated("%s was late %d times", l.name(), n)
		case n == 1 && (given.reason != operation.Abandoned || given.seq > late.seq):
			h.violated("%s was late, and not abandoned before", l.name())
		case n == 0 && given.reason == operation.Abandoned:
			h.mustBeTold(l)
		}
	}
}

// mustBeTold checks that media which was abandoned, and of which nothing came late, has not
// reported. What it reported a moment ago may be on its way.
func (h *history) mustBeTold(l *life) {
	end := h.items[len(h.items)-1].At
	for _, r := range l.reports {
		if r.returned != never && h.terms.OnItsWay > 0 &&
			end.Sub(h.items[r.returned].At) > 30*h.terms.OnItsWay {
			h.violated("%s was abandoned and has reported since, and that was not delivered", l.name())
			return
		}
	}
}

// finalAgrees: the final result is what was delivered last: as the end of an operation that its
// media ended, or that never had it; else as released, or late.
func finalAgrees(h *history) {
	for at := range h.items {
		i := &h.items[at]
		if i.What != Final {
			continue
		}
		l := h.life(i.Op)
		last := l.events[queue.Ended]
		if l.times[queue.Released] > 0 {
			last = l.events[queue.Released]
		}
		late := l.events[queue.Late]
		is := func(t delivery) bool { return i.Reason == t.reason && i.Position == t.position }
		switch {
		case i.Failed:
			h.violated("%s was released and had no final result", l.name())
		case last.seq == 0: // it was read before it was delivered
		case late.seq != 0 && is(late):
		case late.seq == 0 && last.reason == operation.Abandoned && l.reported(i.Position, at):
			// late, and the event is on its way
		case late.seq != 0 && late.at < h.called[i.Number], !is(last):
			h.violated("the final result of %s is %v at %v, and its event had %v at %v",
				l.name(), i.Reason, i.Position, last.reason, last.position)
		}
	}
}

// notGivenUpEarly: media has the whole stop timeout to report.
func notGivenUpEarly(h *history) {
	for _, l := range h.lives {
		t := l.events[queue.Released]
		if t.reason != operation.Abandoned {
			continue
		}
		if had := t.time.Sub(l.events[queue.Ended].time); had < h.stopTimeout(l) {
			h.violated("the media of %s was abandoned after %v", l.name(), had)
		}
		for _, r := range l.reports {
			if r.returned != never && h.items[r.returned].At.Before(t.time) {
				h.violated("the media of %s was abandoned, though it had reported", l.name())
			}
		}
	}
	h.noRunTimeoutEarly()
}

// noRunTimeoutEarly: an operation is timed out only if its media showed no progress for so long.
func (h *history) noRunTimeoutEarly() {
	for _, l := range h.inOrder {
		if l.reason() != operation.TimedOut {
			continue
		}
		ran := l.events[queue.Ended].time.Sub(l.events[queue.Started].time)
		if h.terms.RunTimeout == 0 || ran < h.terms.RunTimeout {
			h.violated("%s was timed out after %v", l.name(), ran)
		}
		if h.terms.OnItsWay == 0 {
			continue // in real time nobody knows whether it came before the timeout looked
		}
		for _, at := range l.progress {
			silent := l.events[queue.Ended].time.Sub(h.items[at].At)
			if silent > 0 && silent < h.terms.RunTimeout {
				h.violated("%s was timed out %v after its last progress", l.name(), silent)
			}
		}
	}
}

// reported reports whether the media has called with this position before a stamp.
func (l *life) reported(position time.Duration, at int) bool {
	for _, r := range l.reports {
		if r.called < at && r.position == position {
			return true
		}
	}
	return false
}
