package inspect

import (
	"cmp"
	"slices"
	"time"
)

// list is what a client knows of the calls.
type list struct {
	sees    func(*call) bool
	calls   map[uint64]listed // that were looked at, by number
	version uint64            // of all calls, up to which it knows them
	removed uint64            // of the handler's, up to which it knows what is gone
	missing uint64            // calls that there was no room for
	sent    bool              // anything
}

// listed is a call that was looked at for a list.
type listed struct {
	version uint64
	shown   bool // to the client, who may not see all
}

// changes returns what has changed since it was last asked, in events of a bounded size.
func (h *Handler) changes(l *list) (events []callsMessage) {
	version := h.version.Load() // before the look: what changes meanwhile is sent again
	h.mu.RLock()
	missing, removed := h.unrecorded, h.removed
	var changed []*call
	if version != l.version || !l.sent {
		for _, c := range h.numbers {
			if was := l.calls[c.number]; was.version != c.version.Load() {
				changed = append(changed, c)
			}
		}
	}
	var gone []uint64
	if removed != l.removed {
		for n, was := range l.calls {
			if h.numbers[n] == nil {
				delete(l.calls, n)
				if was.shown {
					gone = append(gone, n)
				}
			}
		}
	}
	h.mu.RUnlock()

	summaries := make([]summary, 0, len(changed))
	for _, c := range changed {
		is, was := listed{c.version.Load(), l.sees(c)}, l.calls[c.number]
		l.calls[c.number] = is
		if is.shown {
			summaries = append(summaries, c.summary())
		} else if was.shown {
			gone = append(gone, c.number)
		}
	}
	slices.SortFunc(summaries, func(a, b summary) int { return cmp.Compare(a.Number, b.Number) })
	now := time.Now().UnixMilli()
	for batch := range slices.Chunk(summaries, maxBatch) {
		events = append(events, callsMessage{Now: now, Calls: batch, Unrecorded: missing})
	}
	if len(events) == 0 && (!l.sent || len(gone) > 0 || missing != l.missing) {
		events = append(events, callsMessage{Now: now, Unrecorded: missing})
	}
	if len(events) > 0 {
		events[0].All, events[0].Gone = !l.sent, gone
		l.sent = true
	}
	l.version, l.removed, l.missing = version, removed, missing
	return events
}
