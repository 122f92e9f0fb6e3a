package operation

import (
	"context"
	"time"
)

// taskContext is the context of the media's work: an operation, seen as a context, so that it costs
// nothing to make. It ends when the operation does, and has the values of Enqueue's context.
type taskContext Operation

func (c *taskContext) operation() *Operation { return (*Operation)(c) }

// Deadline says that there is none.
func (c *taskContext) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done is the operation's.
func (c *taskContext) Done() <-chan struct{} { return c.operation().Done() }

// Err returns context.Canceled once the operation has ended, whatever the end.
func (c *taskContext) Err() error {
	if c.operation().reason() == 0 {
		return nil
	}
	return context.Canceled
}

// Value returns what Enqueue's context has. The one key that must not go there is the one by which
// package context finds what a context was cancelled with: that is the operation's Reason, never
// the cause of Enqueue's context.
func (c *taskContext) Value(key any) any {
	if v := causes[c.operation().reason()].Value(key); v != nil {
		return v
	}
	return c.operation().values().Value(key)
}

// causes are contexts without values, which ended with a Reason as cause; the one at zero lives.
var causes = func() (causes [len(rows)]context.Context) {
	for r := range causes {
		ctx, cancel := context.WithCancelCause(context.Background())
		if causes[r] = ctx; r != 0 {
			cancel(Reason(r))
		} else {
			_ = cancel // this one never ends
		}
	}
	return causes
}()
