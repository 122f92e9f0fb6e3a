package queue

import (
	"fmt"
	"iter"
	"strings"

	"ivrqueue/operation"
)

// printedInReceipt is how many operations String names.
const printedInReceipt = 8

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

// String says who was ended, for logs and tests: the first 8 with kind, id, status and reason, and
// how many more. What is given to package fmt would be read without the queue's lock otherwise.
func (r Receipt) String() string {
	var s strings.Builder
	if r.operation != nil {
		fmt.Fprintf(&s, "%v: ", r.operation)
	}
	if r.Len() == 0 {
		return s.String() + "nothing ended"
	}
	s.WriteString("ended ")
	for i, e := range r.cancelled {
		if i == printedInReceipt {
			fmt.Fprintf(&s, ", and %d more", r.Len()-i)
			break
		}
		if i > 0 {
			s.WriteString(", ")
		}
		s.WriteString(e.operation().String())
	}
	return s.String()
}
