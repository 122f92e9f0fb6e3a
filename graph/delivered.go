package graph

import "sync/atomic"

// CallStats counts the notifications of one call.
type CallStats struct {
	Pending   int    // on the way
	Delivered uint64 // that have arrived
	GivenUp   uint64 // that could not be delivered
}

// deliveries are the counts of a call.
type deliveries struct{ delivered, givenUp atomic.Uint64 }

// Value returns the platform's own datum, that of the attachment.
func (c *Call) Value() any { return c.given.Value }

// Stats returns the counts of this moment. What happens after a [Handler.Shutdown] that has given
// up is in none of them.
func (c *Call) Stats() CallStats {
	return CallStats{
		Pending:   c.out.pending(),
		Delivered: c.counts.delivered.Load(), GivenUp: c.counts.givenUp.Load(),
	}
}

// Done returns a channel that is closed when the call was detached and all its notifications, the
// last one included, have arrived or failed for good: then [Call.Stats] says how many of each, and
// [WithFailureHandler]'s function has had the latter. It is the same one each time.
func (c *Call) Done() <-chan struct{} { return c.done }
