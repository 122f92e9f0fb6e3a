package inspect

import (
	"time"

	"ivrqueue/operation"
	"ivrqueue/tone"
)

// markKind says what a mark on the timeline is.
type markKind uint8

const (
	markKey    markKind = iota + 1
	markCancel          // something ended operations before their own end, all at one time
	markNote            // what the platform has to say
)

var markKindNames = [...]string{markKey: "key", markCancel: "cancel", markNote: "note"}

// mark is something that happens at an instant.
type mark struct {
	kind    markKind
	at      time.Time
	text    string           // of a note
	tone    tone.Tone        // of a key, if it may be shown
	reason  operation.Reason // of a cancel
	by      operation.Cause  // of a cancel, if it is known
	count   int              // keys, or operations that the cancel ended
	version uint64           // of its last change
}

// mark puts a mark on the timeline; c.mu is held.
func (c *call) mark(m mark) {
	c.change(m.at)
	m.version = c.version.Load()
	c.marks.add(m, 2*c.handler.config.operations)
}

// cancelled puts the end of an operation by something else on the timeline. Those that ended at one
// time, by the same, are one mark. c.mu is held.
func (c *call) cancelled(at time.Time, why operation.Reason, by operation.Cause) {
	if len(c.marks.items) > 0 {
		last := c.marks.at(c.marks.last)
		if last.kind == markCancel && last.reason == why && last.by == by && last.at.Equal(at) {
			last.count++
			last.version = c.version.Load()
			return
		}
	}
	c.mark(mark{kind: markCancel, at: at, reason: why, by: by, count: 1})
}

// change notes when the call has changed; c.mu is held.
func (c *call) change(at time.Time) {
	if at.After(c.changed) {
		c.changed = at
	}
	c.touch()
}

// toneText is a tone as its key shows it; empty for none.
func toneText(t tone.Tone) string {
	if !t.Valid() {
		return ""
	}
	return string(rune(t.Char()))
}
