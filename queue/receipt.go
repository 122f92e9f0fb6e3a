package queue

import (
	"iter"

	"ivrqueue/operation"
)

// Receipt says whom a cancel ended. It may be copied; the zero Receipt is one of nothing.
type Receipt struct {
	operation *operation.Operation
	cancelled []*entry
}

// Operation returns the cancelMediaProcessing operation that the cancel itself was: completed, with
// the id and the client context that CancelAll was given. It is nil in receipts of others than
// CancelAll.
func (r Receipt) Operation() *operation.Operation { return r.operation }

// Len returns how many operations the cancel ended.
func (r Receipt) Len() int { return len(r.cancelled) }

// Cancelled yields the operations that the cancel ended, in queue order, the running one first.
func (r Receipt) Cancelled() iter.Seq[*operation.Operation] {
	return func(yield func(*operation.Operation) bool) {
		for _, e := range r.cancelled {
			if !yield(e.operation()) {
				return
			}
		}
	}
}
