package trace

import (
	"cmp"
	"slices"

	"ivrqueue/queue"
)

// acceptedInOrder: calls that do not overlap are accepted in their order.
func acceptedInOrder(h *history) {
	var latest *life // called last, of those accepted so far
	for _, l := range h.inOrder {
		if l.called == never {
			continue
		}
		if latest != nil && l.returned < latest.called {
			h.violated("%s was accepted before %s, though it was enqueued only after that had returned",
				latest.name(), l.name())
		}
		if latest == nil || l.called > latest.called {
			latest = l
		}
	}
}

// startedInOrder: operations start in the order of the queue, and the media gets them in that
// order.
func startedInOrder(h *history) {
	var started, entered *life
	for _, l := range h.queued {
		if l.seq(queue.Started) != 0 {
			if started != nil && l.seq(queue.Started) < started.seq(queue.Started) {
				h.violated("%s was started before %s, which was before it", l.name(), started.name())
			}
			started = l
		}
		if l.startEntered == never || l.abandoned || h.blind {
			continue // an abandoned callback may have been on its way for long
		}
		if entered != nil && l.startEntered < entered.startEntered {
			h.violated("Start of %s was entered before that of %s, which was before it",
				l.name(), entered.name())
		}
		entered = l
	}
}

// oneRuns: an operation is started only when the one before has ended, and its media was released
// if it was preempted.
func oneRuns(h *history) {
	var before *life
	for _, l := range h.queued {
		at := l.seq(queue.Started)
		if at == 0 {
			continue
		}
		if b := before; b != nil {
			if b.seq(queue.Ended) == 0 || b.seq(queue.Ended) > at {
				h.violated("%s was started while %s was running", l.name(), b.name())
			}
			if b.seq(queue.Released) > at {
				h.violated("%s was started before the media of %s was released", l.name(), b.name())
			}
		}
		before = l
	}
}

// oneHasTheMedia: Start is entered only when the task before was reported and its callbacks have
// returned, or it was abandoned.
func oneHasTheMedia(h *history) {
	if h.blind {
		return
	}
	var entered, open []*life
	for _, l := range h.lives {
		if l.startEntered != never {
			entered = append(entered, l)
		}
	}
	slices.SortFunc(entered, func(a, b *life) int {
		return cmp.Compare(a.startEntered, b.startEntered)
	})
	for _, l := range entered {
		if l.abandoned { // it may enter late, when others have the media; what was delivered is judged
			continue
		}
		open = slices.DeleteFunc(open, func(o *life) bool {
			if why := o.hasTheMedia(l.startEntered); why != "" {
				h.violated("Start of %s was entered while %s %s", l.name(), o.name(), why)
			}
			return true
		})
		open = append(open, l)
	}
}

// hasTheMedia says what of the operation is not through at a stamp, if anything.
func (l *life) hasTheMedia(at int) string {
	reported := l.startFailed && l.startReturned < at
	for _, r := range l.reports {
		reported = reported || r.called < at
	}
	switch {
	case !reported:
		return "was not reported"
	case l.startReturned == never || l.startReturned > at:
		return "was in its Start"
	case l.stopEntered != never && l.stopEntered < at &&
		(l.stopReturned == never || l.stopReturned > at):
		return "was in its Stop"
	default:
		return ""
	}
}

// progress: when all is quiet, nothing is left, since all media comes to its end; and all was
// delivered.
func progress(h *history) {
	for at := range h.items {
		i := &h.items[at]
		if i.What != Quiet {
			continue
		}
		if len(i.Ops) > 0 {
			h.violated("%d operations are left, %s first, and nothing happens", len(i.Ops), name(i.Ops[0]))
		}
		if i.Lost > 0 {
			h.violated("%d entries of the log are left, and nothing happens", i.Lost)
		}
	}
}
