package trace

import (
	"cmp"
	"slices"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// endTogether: when one operation is seen ended by a cancel, or the cancel has returned, all of
// them are; they end at one time, and are delivered in the order of the receipt, with nothing
// between them. Those of a CancelWhere may be seen one after the other while it is under way.
func endTogether(h *history) {
	for _, at := range h.receipts {
		r := &h.items[at]
		first := at // the earliest moment at which the cancel is known to have happened
		for seen := h.called[r.Number]; seen < at && r.Method != CancelWhere; seen++ {
			if i := &h.items[seen]; i.What == Read && i.Status.Terminal() && slices.Contains(r.Ops, i.Op) {
				first = seen
				break
			}
		}
		for seen := first + 1; seen < len(h.items); seen++ {
			i := &h.items[seen]
			if i.What == Read && !i.Status.Terminal() && h.called[i.Number] > first &&
				slices.Contains(r.Ops, i.Op) {
				h.violated("%s was read as %v after %v #%d had ended another",
					name(i.Op), i.Status, r.Method, r.Number)
			}
		}
		h.toldTogether(r)
	}
}

func (h *history) toldTogether(r *Item) {
	var before *life
	for _, op := range r.Ops {
		l := h.life(op)
		if l.times[queue.Ended] == 0 {
			continue
		}
		if b := before; b != nil {
			if !b.events[queue.Ended].time.Equal(l.events[queue.Ended].time) {
				h.violated("%v #%d ended %s and %s at two times", r.Method, r.Number, b.name(), l.name())
			}
			if l.seq(queue.Ended) != b.seq(queue.Ended)+1 {
				h.violated("%v #%d ended %s after %s, but they were delivered as events %d and %d",
					r.Method, r.Number, l.name(), b.name(), l.seq(queue.Ended), b.seq(queue.Ended))
			}
			if l.place < b.place {
				h.violated("the receipt of %v #%d is not in queue order", r.Method, r.Number)
			}
		}
		before = l
	}
}

// snapshotsAreWhole: a snapshot shows nothing that a cancel ended, or all that it could.
func snapshotsAreWhole(h *history) {
	for at := range h.items {
		s := &h.items[at]
		if s.What != Snapped {
			continue
		}
		for _, returned := range h.receipts {
			if r := &h.items[returned]; h.called[r.Number] < at && returned > h.called[s.Number] {
				h.wholeIn(s, r)
			}
		}
	}
}

func (h *history) wholeIn(s, r *Item) {
	var there, gone []uuid.UUID
	for _, op := range r.Ops {
		switch l := h.life(op); {
		case slices.Contains(s.Ops, op):
			there = append(there, op)
		case l.returned != never && l.returned < h.called[s.Number]:
			gone = append(gone, op)
		}
	}
	if len(there) > 0 && len(gone) > 0 {
		h.violated("a snapshot shows %s, and not %s, of what was cancelled by %v #%d",
			name(there[0]), name(gone[0]), r.Method, r.Number)
	}
}

// spares reports whether a cancel leaves alone what is protected.
func (i *Item) spares() bool {
	return i.Method == Interrupt || i.Protected && (i.Method == CancelAll || i.Method == CancelWhere)
}

// nobodyForgotten: a cancel of all ends what was accepted before it was called and had not ended,
// save for what it spares.
func nobodyForgotten(h *history) {
	for at := range h.items {
		r := &h.items[at]
		if r.What != Returned || r.Failed ||
			r.Method != CancelAll && r.Method != Interrupt && !r.Method.closes() {
			continue
		}
		for _, l := range h.inOrder {
			if l.returned == never || l.returned > h.called[r.Number] || slices.Contains(r.Ops, l.id) ||
				l.protected && r.spares() {
				continue
			}
			if h.livedOn(l, at) {
				h.violated("%s, accepted before %v #%d was called, lived on", l.name(), r.Method, r.Number)
			}
		}
	}
}

// livedOn reports whether an operation is known to have ended after a stamp only.
func (h *history) livedOn(l *life, at int) bool {
	if len(l.in) > 0 {
		return h.called[h.items[l.in[0]].Number] > at
	}
	if l.endedByQueue() || l.startFailed {
		return false // by a timeout, or by a return, of which there is no call
	}
	for _, r := range l.reports {
		if r.called < at {
			return false
		}
	}
	return l.times[queue.Ended] > 0
}

// allFollows: when a cancel has returned, Done channels and contexts of what it ended have
// followed; and when a Done channel is closed, its operation has ended.
func allFollows(h *history) {
	for at := range h.items {
		if i := &h.items[at]; i.What == Followed && i.Failed {
			h.violated("%s had ended, and its Done channel, its context or its status did not say so",
				name(i.Op))
		}
	}
}

// sameAnswer: a call that is repeated with its idempotency key is answered as the first.
func sameAnswer(h *history) {
	for at := range h.items {
		if i := &h.items[at]; i.What == Repeated && i.Failed {
			h.violated("the call that %s is of was repeated, and answered otherwise", name(i.Op))
		}
	}
}

// barrier: after a cancel has returned what it ended is not live, whoever asks.
func barrier(h *history) {
	for at := range h.items {
		i := &h.items[at]
		if i.What != Live || i.Failed {
			continue
		}
		for _, cancel := range h.life(i.Op).in {
			if h.called[i.Number] > cancel {
				h.violated("%s was live after %v #%d had returned",
					name(i.Op), h.items[cancel].Method, h.items[cancel].Number)
			}
		}
	}
}

// startsOnlyTheLiving: the media gets nothing but what was started, and not of what has ended
// by then, save for a call that was on its way.
func startsOnlyTheLiving(h *history) {
	for _, l := range h.lives {
		if l.startEntered == never {
			continue
		}
		if l.starts > 1 {
			h.violated("Start of %s was entered %d times", l.name(), l.starts)
		}
		if h.done != never && l.seq(queue.Started) == 0 {
			h.violated("Start of %s was entered, which was never started", l.name())
		}
		entered, ended := h.items[l.startEntered].At, l.events[queue.Ended]
		if limit := h.terms.OnItsWay; limit > 0 && ended.seq != 0 && entered.Sub(ended.time) > limit {
			h.violated("Start of %s was entered %v after it had ended", l.name(), entered.Sub(ended.time))
		}
	}
}

// laterUntouched: a cancel does not end what was enqueued after it had returned: not by its
// receipt, and not as readers see it.
func laterUntouched(h *history) {
	for at := range h.items {
		i := &h.items[at]
		if i.What != Read || i.Reason != operation.Cancelled && i.Reason != operation.BargedIn {
			continue
		}
		if l := h.life(i.Op); l.called != never && !h.cancelledBetween(l.called, at) {
			h.violated("%s was read as %v, and no cancel was under way since it was enqueued",
				l.name(), i.Reason)
		}
	}
	for _, l := range h.inOrder {
		for _, cancel := range l.in {
			if l.called != never && l.called > cancel {
				h.violated("%s was enqueued after %v #%d, which ended it, had returned",
					l.name(), h.items[cancel].Method, h.items[cancel].Number)
			}
		}
	}
}

// protectedSpared: nothing that barges in ends what is protected, nor does a cancel that spares it.
func protectedSpared(h *history) {
	for _, l := range h.lives {
		if !l.protected {
			continue
		}
		if l.reason() == operation.BargedIn {
			h.violated("%s, which is protected, was barged in on", l.name())
		}
		for _, at := range l.in {
			if r := &h.items[at]; r.spares() {
				h.violated("%s, which is protected, was ended by %v #%d", l.name(), r.Method, r.Number)
			}
		}
	}
}

// whoDidIt: what was barged in on names the operation that did it, and what a cancel ended names
// the cause that it gave.
func whoDidIt(h *history) {
	for _, l := range h.lives {
		ended := l.events[queue.Ended]
		if ended.seq == 0 {
			continue
		}
		want := uuid.Nil
		if l.reason() == operation.BargedIn {
			next := h.afterEnds(l)
			if next == nil {
				continue
			}
			want = next.Op
		}
		for _, at := range l.in {
			want = cmp.Or(h.items[at].By, want)
		}
		if ended.cause != want {
			h.violated("%s was ended by %s, says its event, and it was %s",
				l.name(), name(ended.cause), name(want))
		}
	}
}

// cancelledBetween reports whether something that may cancel was under way between two stamps.
func (h *history) cancelledBetween(from, to int) bool {
	for at := range h.items {
		r := &h.items[at]
		if r.What != Called || at > to {
			continue
		}
		switch r.Method {
		case CancelAll, Cancel, CancelWhere, Interrupt, BargeIn:
			if returned, ok := h.returned[r.Number]; !ok || returned > from {
				return true
			}
		default:
		}
	}
	return false
}

// oneStep: what was barged in on ends right before what barged in is accepted; so does what is
// ended by an Interrupt, and a refused one has none.
func oneStep(h *history) {
	for _, l := range h.lives {
		if l.reason() != operation.BargedIn {
			continue
		}
		if next := h.afterEnds(l); next != nil &&
			(next.Event != queue.Accepted || !h.life(next.Op).bargedIn()) {
			h.violated("%s was barged in on, and then %s was %v",
				l.name(), name(next.Op), next.Event)
		}
	}
	for at := range h.items {
		r := &h.items[at]
		if r.What != Returned || r.Method != Interrupt {
			continue
		}
		if r.Failed {
			if len(r.Ops) > 0 {
				h.violated("Interrupt #%d was refused and has cancelled %d", r.Number, len(r.Ops))
			}
			continue
		}
		own := h.life(r.Op).seq(queue.Accepted)
		if len(r.Ops) == 0 || own == 0 {
			continue
		}
		last := h.life(r.Ops[len(r.Ops)-1])
		if ended := last.seq(queue.Ended); ended != 0 && ended+1 != own {
			h.violated("something got between Interrupt #%d, which ended %s as event %d, "+
				"and its own operation, accepted as event %d", r.Number, last.name(), ended, own)
		}
	}
}

// receipts: what a cancel has ended is in exactly one receipt, that of a call which ends so; and
// nothing else is in one. What an Enqueue that barges in ends is in none, and end right
// before it is accepted.
func receipts(h *history) {
	for _, l := range h.lives {
		if l.times[queue.Ended] == 0 {
			continue
		}
		want := 0
		alone := l.reason() == operation.TimedOut || l.reason() == operation.KeyPressed
		if l.endedByQueue() && !alone && !h.bargedInUnseen(l) {
			want = 1
		}
		if len(l.in) != want {
			h.violated("%s, which ended with %v, is in %d receipts", l.name(), l.reason(), len(l.in))
		}
		for _, at := range l.in {
			if r := &h.items[at]; !r.Method.endsWith(l.reason()) {
				h.violated("%s ended with %v and is in a receipt of %v", l.name(), l.reason(), r.Method)
			}
		}
	}
}

// endsWith reports whether a reason can be the method's.
func (m Method) endsWith(why operation.Reason) bool {
	switch m {
	case CancelAll:
		return why == operation.Cancelled
	case Cancel, CancelWhere: // a scene gives them one of two reasons
		return why == operation.Cancelled || why == operation.ShutDown
	case Interrupt:
		return why == operation.BargedIn
	case Close, Shutdown:
		return why == operation.CallEnded || why == operation.ShutDown
	default:
		return false
	}
}

// bargedInUnseen reports whether the event after the ends that the operation's is one of is the
// acceptance of something that barged in without a receipt.
func (h *history) bargedInUnseen(l *life) bool {
	if l.reason() != operation.BargedIn {
		return false
	}
	next := h.afterEnds(l)
	return next != nil && next.Event == queue.Accepted && h.life(next.Op).by == BargeIn
}

// afterEnds returns the event that follows the ends that the operation's is one of, if one does.
func (h *history) afterEnds(l *life) *Item {
	for seq := l.seq(queue.Ended) + 1; ; seq++ {
		if i := h.events[seq]; i == nil || i.Event != queue.Ended {
			return i
		}
	}
}

// bargedIn reports whether the operation is one that barges in, as far as is known.
func (l *life) bargedIn() bool { return l.by != Enqueue }
