package trace

import (
	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// oneEnd: each accepted operation has one end, told once, and its events come in the order of a
// life.
func oneEnd(h *history) {
	for _, l := range h.lives {
		accepted := l.returned != never || l.seq(queue.Accepted) != 0
		for k := queue.Accepted; k <= queue.Released; k++ {
			if l.times[k] > 1 {
				h.violated("%s was told to be %v %d times", l.name(), k, l.times[k])
			}
		}
		if !accepted {
			if l.times[queue.Ended] > 0 {
				h.violated("the end of %s was told, which was never accepted", l.name())
			}
			continue
		}
		if h.done != never && (l.times[queue.Ended] == 0 || l.times[queue.Accepted] == 0) {
			h.violated("%s was accepted, told to be so %d times, and its end %d times",
				l.name(), l.times[queue.Accepted], l.times[queue.Ended])
		}
		last := uint64(0)
		for k := queue.Accepted; k <= queue.Released; k++ {
			if at := l.seq(k); at != 0 {
				if at < last {
					h.violated("%s was told to be %v too early", l.name(), k)
				}
				last = at
			}
		}
		if l.seq(queue.Started) == 0 && l.times[queue.Ended] > 0 && !l.overHead() {
			h.violated("%s ended with %v and was never started", l.name(), l.reason())
		}
	}
}

// readersAgree: what is read of an end agrees with what is told of it, and an end is final.
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
				h.violated("%s was read as %v and told as %v", l.name(), i.Reason, l.reason())
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

// released: what was ended over its media's head after its Start was entered is released, and
// nothing else is. Stop is for those, and comes after Start.
func released(h *history) {
	for _, l := range h.lives {
		over, told := l.overHead(), l.times[queue.Released] > 0
		if told && (!over || l.startEntered == never && !l.givenUp && !h.blind) {
			h.violated("%s was released, which ended with %v; its Start was entered: %v",
				l.name(), l.reason(), l.startEntered != never)
		}
		if h.done != never && !told && over && l.startEntered != never {
			h.violated("%s was ended over its media's head and never released", l.name())
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
		if l.times[queue.Ended] > 0 && !over {
			h.violated("Stop of %s was entered, which ended with %v", l.name(), l.reason())
		}
		for _, r := range l.reports {
			if h.after(l.stopEntered, r.returned) && !l.givenUp {
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

// firstReportCounts: what is told of a report is the first one's; one who was given up tells
// nothing.
func firstReportCounts(h *history) {
	for _, l := range h.lives {
		if l.times[queue.Ended] > 0 && !l.overHead() {
			h.mustBeFirst(l, queue.Ended)
		}
		if t := l.told[queue.Released]; t.seq != 0 && t.reason != operation.Abandoned {
			h.mustBeFirst(l, queue.Released)
		}
	}
}

// mustBeFirst checks that what was told is a report that no other one came before. A Start that
// failed has reported without a call.
func (h *history) mustBeFirst(l *life, k queue.EventKind) {
	t := l.told[k]
	first := never // the earliest return of a report
	var told *report
	for n := range l.reports {
		r := &l.reports[n]
		if r.returned != never && (first == never || r.returned < first) {
			first = r.returned
		}
		if r.position == t.position || r.position == 0 { // 0: whatever the last progress was
			told = r
		}
	}
	startWasFirst := l.startFailed && (first == never || l.startReturned < first)
	switch {
	case told == nil && !startWasFirst:
		h.violated("%s was told to be %v with position %v, which no report had",
			l.name(), k, t.position)
	case told != nil && first != never && told.called > first:
		h.violated("%s was told to be %v with position %v, and another report had come before",
			l.name(), k, t.position)
	case told != nil && told.called > t.at:
		h.violated("%s was told to be %v before it was reported", l.name(), k)
	}
}

// notGivenUpEarly: media has the whole stop timeout to report.
func notGivenUpEarly(h *history) {
	for _, l := range h.lives {
		t := l.told[queue.Released]
		if t.reason != operation.Abandoned {
			continue
		}
		if had := t.time.Sub(l.told[queue.Ended].time); had < h.terms.StopTimeout {
			h.violated("the media of %s was given up after %v", l.name(), had)
		}
		for _, r := range l.reports {
			if r.returned != never && h.items[r.returned].At.Before(t.time) {
				h.violated("the media of %s was given up, though it had reported", l.name())
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
		ran := l.told[queue.Ended].time.Sub(l.told[queue.Started].time)
		if h.terms.RunTimeout == 0 || ran < h.terms.RunTimeout {
			h.violated("%s was timed out after %v", l.name(), ran)
		}
		if h.terms.OnItsWay == 0 {
			continue // in real time nobody knows whether it was told before the timeout looked
		}
		for _, at := range l.progress {
			silent := l.told[queue.Ended].time.Sub(h.items[at].At)
			if silent > 0 && silent < h.terms.RunTimeout {
				h.violated("%s was timed out %v after it had told progress", l.name(), silent)
			}
		}
	}
}
