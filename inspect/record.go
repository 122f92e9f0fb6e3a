package inspect

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
)

// record is what is kept of an operation.
type record struct {
	op      *operation.Operation // while it has the media, for its position; else nil
	number  uint64               // names it in its call
	id      uuid.UUID
	version uint64 // of its last change

	what    description
	context string // the client context

	accepted, started, ended, released time.Time // zero: it has not come

	reason    operation.Reason // zero while it lives
	detail    string           // of a failure, as the bot gets it
	by        operation.Cause  // who ended it, if it is known
	position  time.Duration    // how far the media had come in the end
	prompt    string           // and in which prompt
	index     int              // which is this one, counted from 0
	offset    time.Duration    // and how far in that
	recorded  time.Duration    // length of the recording
	abandoned bool             // its media did not report in time
}

// known returns the record of an operation that lives, or of one that has ended; nil if there is
// none. Of several that had one id, one after the other, it is the last. c.mu is held. The one that
// changes is one of the newest or the one that runs, so it is found soon.
func (c *call) known(op *operation.Operation, ended bool) *record {
	id := op.ID()
	if !ended && c.running != nil && c.running.id == id {
		return c.running
	}
	for _, r := range slices.Backward(c.operations) {
		if r.id == id && r.ended.IsZero() != ended {
			return r
		}
	}
	return nil
}

// ensure has an operation that lives have a record, if there can be room for it: at the expense of
// one that has ended, or, if must is set, of the newest that waits. It asks the request what it is,
// which is code of others, with no lock held. Nobody else makes records: events come one at a time.
func (c *call) ensure(op *operation.Operation, must bool) {
	c.mu.Lock()
	there := c.known(op, false) != nil
	c.mu.Unlock()
	if there {
		return
	}
	what := describe(op.Request())
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.room(must)
	if r == nil {
		return
	}
	c.numbered++
	*r = record{
		number: c.numbered, id: op.ID(), what: what, context: op.ClientContext(),
		accepted: op.Times().Accepted,
	}
	c.operations = append(c.operations, r)
}

// room returns a record to be filled in and added: a new one, or, if there are as many as may be,
// that of another operation, which is forgotten; nil if none may be. c.mu is held.
func (c *call) room(must bool) *record {
	if len(c.operations) < c.handler.config.operations {
		return new(record)
	}
	at := slices.IndexFunc(c.operations, func(r *record) bool { return !r.ended.IsZero() })
	if at < 0 {
		if !must {
			return nil
		}
		if at = len(c.operations) - 1; c.operations[at] == c.running {
			at--
		}
	}
	r := c.operations[at]
	c.operations = slices.Delete(c.operations, at, at+1)
	return r
}
