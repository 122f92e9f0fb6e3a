package trace

import (
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// keysEnd: a key ends the operation that runs, if that has it among its stop tones and has started
// before it was pressed, and no other.
func keysEnd(h *history) {
	for _, l := range h.inOrder {
		if l.reason() == operation.KeyPressed && !h.keyed(l) {
			h.violated("%s ended by a key, and none was pressed that could", l.name())
		}
	}
	for at := range h.items {
		i := &h.items[at]
		if i.What != Called || i.Method != Tone {
			continue
		}
		returned, ok := h.returned[i.Number]
		if !ok {
			continue
		}
		for _, l := range h.inOrder {
			started, ended := l.events[queue.Started], l.events[queue.Ended]
			if !l.keys || started.seq == 0 || started.at > at || !started.time.Before(i.Time) {
				continue
			}
			if ended.seq == 0 || ended.time.After(h.items[returned].At) {
				h.violated("%s ran when %v #%d was called, and was not ended", l.name(), i.Method, i.Number)
			}
		}
	}
}

// keyed reports whether a key can have ended the operation: it was pressed after the start, and the
// end is one of the instants of its call.
func (h *history) keyed(l *life) bool {
	started, ended := l.events[queue.Started], l.events[queue.Ended]
	for at := range h.items {
		i := &h.items[at]
		if i.What != Called || i.Method != Tone || !l.keys || !started.time.Before(i.Time) {
			continue
		}
		returned, ok := h.returned[i.Number]
		if !ended.time.Before(i.At) && (!ok || !ended.time.After(h.items[returned].At)) {
			return true
		}
	}
	return false
}
