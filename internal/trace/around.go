package trace

import (
	"slices"
	"time"

	"ivrqueue/queue"
)

// tonesFlow: each subscription takes every tone that came after it, once and in order, soon, and
// the number of those that it lost.
func tonesFlow(h *history) {
	next, pressed := map[int]uint64{}, []int{never} // stamps, by number
	for at := range h.items {
		switch i := &h.items[at]; i.What {
		case Pressed:
			if i.Seq != uint64(len(pressed)) {
				h.violated("the tone pressed as number %d has number %d", len(pressed), i.Seq)
				return
			}
			pressed = append(pressed, at)
		case Subscribed:
			next[i.Who] = i.Seq + 1
		case Took:
			if i.Seq != next[i.Who]+i.Lost {
				h.violated("subscription %d took tone %d, with %d lost; want %d",
					i.Who, i.Seq, i.Lost, next[i.Who])
			}
			next[i.Who] = i.Seq + 1
			if h.terms.Tone == 0 {
				continue
			}
			if took := i.At.Sub(i.Time); took > h.terms.Tone {
				h.violated("subscription %d took tone %d after %v", i.Who, i.Seq, took)
			}
		case TonesOver:
			for who, n := range next {
				if n != uint64(len(pressed)) {
					h.violated("subscription %d took tones up to %d of %d", who, n-1, len(pressed)-1)
				}
			}
		default:
		}
	}
}

// eventsInOrder: each observer gets all events in order, without gaps, one at a time.
func eventsInOrder(h *history) {
	type listener struct {
		next  uint64
		under bool // a call of it is under way
	}
	by := map[int]*listener{}
	for at := range h.items {
		switch i := &h.items[at]; i.What {
		case Delivering:
			l := by[i.Who]
			if l == nil {
				l = &listener{next: 1}
				by[i.Who] = l
			}
			if l.under {
				h.violated("observer %d got event %d during another", i.Who, i.Seq)
			}
			if i.Seq != l.next {
				h.violated("observer %d got event %d, want %d", i.Who, i.Seq, l.next)
			}
			l.next, l.under = i.Seq+1, true
		case Delivered:
			if l := by[i.Who]; l != nil {
				l.under = false
			}
		case Done:
			for who, l := range by {
				if last := h.lastBeforeLate(); l.next <= last {
					h.violated("observer %d got %d events of %d", who, l.next-1, last)
				}
			}
		default:
		}
	}
	for seq, i := range h.events {
		if before := h.events[seq-1]; before != nil && i.Time.Before(before.Time) {
			h.violated("event %d has a time before that of the event before it", seq)
		}
	}
}

// lastBeforeLate returns the number of the last event that is not Late: those may come after Done.
func (h *history) lastBeforeLate() (last uint64) {
	for seq, i := range h.events {
		if i.Event != queue.Late {
			last = max(last, seq)
		}
	}
	return last
}

// observersAgree: all observers get the same events.
func observersAgree(h *history) {
	for at := range h.items {
		i := &h.items[at]
		if i.What != Delivering || i.Who == 0 {
			continue
		}
		first := h.events[i.Seq]
		if first == nil {
			continue // that one comes later, or is missing, which another rule sees
		}
		if first.Event != i.Event || first.Op != i.Op || first.Reason != i.Reason ||
			first.Position != i.Position || !first.Time.Equal(i.Time) {
			h.violated("event %d is %v of %s to one observer and %v of %s to another",
				i.Seq, first.Event, name(first.Op), i.Event, name(i.Op))
		}
	}
}

// callsReturn: every call returns, and at once, whatever callbacks do.
func callsReturn(h *history) {
	open := map[int]int{}
	for at := range h.items {
		switch i := &h.items[at]; i.What {
		case Called:
			if i.Method != End || i.Position != 0 { // not a Blocking function's, which is its return
				open[i.Number] = at
			}
		case Returned:
			call := &h.items[open[i.Number]]
			took := i.At.Sub(call.At)
			if h.terms.Call > 0 && took > h.terms.Call && i.Method != Shutdown && !call.Failed {
				h.violated("%v #%d took %v", i.Method, i.Number, took)
			}
			delete(open, i.Number)
		default:
		}
	}
	if h.done == never {
		return
	}
	for _, at := range open {
		h.violated("%v #%d never returned", h.items[at].Method, h.items[at].Number)
	}
}

// closed: after Close nothing is accepted, and after Done nothing is called, save a Stop for a task
// that was abandoned, and observers with what it reports late. The Closed event is the last one but
// for those, and there is one.
func closed(h *history) {
	if h.closed != never {
		for _, l := range h.inOrder {
			if l.called > h.closed {
				h.violated("%s was accepted after Close", l.name())
			}
		}
	}
	last, n := h.lastBeforeLate(), 0
	for _, i := range h.events {
		if i.Event == queue.Closed {
			n++
		}
	}
	if n > 0 && h.events[last].Event != queue.Closed {
		h.violated("event %d, after Closed, is %v", last, h.events[last].Event)
	}
	if h.done == never {
		return
	}
	if n != 1 {
		h.violated("Closed was delivered %d times", n)
	}
	for at := h.done; at < len(h.items); at++ {
		i := &h.items[at]
		late := h.blind || h.life(i.Op).abandoned
		event := i.What == Delivering && i.Event != queue.Late
		if event || !late && (i.What == StartEntered || i.What == StopEntered) {
			h.violated("after Done: %s", i.text(h.items[0].At))
		}
	}
}

// stuck: media that does not return from its callback is abandoned within the stop timeout of the
// Close, whatever other timer is armed, and Done waits until it was.
func stuck(h *history) {
	if h.blind {
		return
	}
	for _, l := range h.inOrder {
		late := time.Time{}
		if h.terms.OnItsWay > 0 && h.closed != never {
			// The timer takes the lock, and the logger gets what waits before it, one warning between two
			// batches of each observer.
			late = h.items[h.closed].At.Add(h.stopTimeout(l) + 30*h.terms.OnItsWay)
		}
		if h.done != never && l.inCallback(h.done) && !l.abandoned {
			h.violated("Done came while the media was inside a callback of %s", l.name())
		}
		if late.IsZero() || l.abandoned && !h.abandonedBy(l).After(late) {
			continue
		}
		at, _ := slices.BinarySearchFunc(h.items, late, func(i Item, t time.Time) int {
			return i.At.Compare(t)
		})
		if at < len(h.items) && l.inCallback(at) {
			h.violated("the media was inside a callback of %s long after Close and not abandoned", l.name())
		}
	}
}

// abandonedBy returns when an operation's media was abandoned at the latest: when the logger got
// the warning, which may lie behind slow observers for long, or when Closed was logged, since media
// that is inside a callback holds that up.
func (h *history) abandonedBy(l *life) time.Time {
	at := l.abandonedAt
	for _, i := range h.events {
		if i.Event == queue.Closed && i.Time.Before(at) {
			at = i.Time
		}
	}
	return at
}
