package operation_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"ivrqueue/operation"
)

// The context of the media's work lives as long as the operation, whatever becomes of Enqueue's, and
// its cause is the operation's reason.
func TestTheContextEndsWithItsOperationAlone(t *testing.T) {
	t.Parallel()
	enqueued, end := context.WithCancelCause(t.Context())
	g := new(operation.Generation)
	ctx := accepted(t, g, operation.Spec{Context: enqueued}).Operation().Context()
	end(errors.New("of another context"))
	if ctx.Err() != nil || context.Cause(ctx) != nil {
		t.Errorf("the operation lives, and its context is over: %v, %v", ctx.Err(), context.Cause(ctx))
	}
	g.End(operation.Cancelled, nil, time.Now(), 0)
	if ctx.Err() != context.Canceled || context.Cause(ctx) != error(operation.Cancelled) { //nolint:errorlint // it is that one
		t.Errorf("the operation was cancelled, and its context is over for %v, %v", ctx.Err(), context.Cause(ctx))
	}
}

func TestAValueNeedsNoContext(t *testing.T) {
	t.Parallel()
	c := accepted(t, new(operation.Generation), operation.Spec{Value: 7})
	if v := c.Operation().Value(); v != 7 {
		t.Errorf("Value is %v, want 7", v)
	}
	if c.ReleaseValues(); c.Operation().Value() != nil {
		t.Error("the value is still there")
	}
}

// Whoever watches for progress sets a bit beside the position, and no reader sees it.
func TestALookForProgressChangesNoPosition(t *testing.T) {
	t.Parallel()
	c := accepted(t, new(operation.Generation), operation.Spec{})
	c.Progress(time.Second)
	for i, want := range []bool{false, true, true} {
		if got := c.Stalled(); got != want || c.Operation().Position() != time.Second {
			t.Errorf("look %d: stalled is %v, want %v; the position is %v", i, got, want, c.Operation().Position())
		}
	}
}
