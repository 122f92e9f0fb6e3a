package operation

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// taskContext is the context of the media's work: an operation, seen as a context, so that it costs
// nothing to make. It ends when the operation does, and has the values of Enqueue's context.
type taskContext Operation

func (c *taskContext) operation() *Operation { return (*Operation)(c) }

// String names the context, for logs and mocks that print their arguments; see [Operation.String].
func (c *taskContext) String() string {
	return "operation.Context(" + c.operation().ID().String() + ")"
}

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
	if k, ok := key.(derivedFrom); ok && k.operation == c.operation() {
		return true
	}
	if v := c.operation().reason().ended().Value(key); v != nil {
		return v
	}
	return c.operation().values().Value(key)
}

// derivedFrom is the key by which a context that derives from an operation's own is known.
type derivedFrom struct{ operation *Operation }

// mayAttach returns an error if ctx derives from the operation's own context: its values would be
// looked up in themselves, for ever. It asks ctx, which is code of others.
func (o *Operation) mayAttach(ctx context.Context) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("operation: Attach: context %T panicked: %v", ctx, panicked)
		}
	}()
	if ctx.Value(derivedFrom{o}) != nil {
		return errors.New("operation: Attach: a context that derives from the operation's own")
	}
	return nil
}

// layered has the values of a context, and below them those of another one.
type layered struct {
	context.Context //nolint:containedctx // for their values

	below context.Context //nolint:containedctx // likewise
}

// Value looks into the one, then into the other.
func (c layered) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.below.Value(key)
}

// live is a context without values, which never ends.
var live, _ = context.WithCancelCause(context.Background())

// ended returns a context without values that ended with the reason as cause, or lives if there is
// none.
func (r Reason) ended() context.Context {
	if listed := reasons.rows[r].Load(); listed != nil {
		return listed.ended
	}
	return live
}
