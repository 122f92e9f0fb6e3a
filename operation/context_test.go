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
	g.End(operation.Cancelled, time.Now(), 0)
	if ctx.Err() != context.Canceled || context.Cause(ctx) != error(operation.Cancelled) {
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

// Whoever watches for progress sets a bit beside the position: no reader sees it, and what media tells
// at the same time stays. Not parallel: the two must meet.
func TestALookForProgressChangesNoPosition(t *testing.T) {
	c := accepted(t, new(operation.Generation), operation.Spec{})
	c.Progress(time.Second)
	for i, want := range []bool{false, true, true} {
		if got := c.Stalled(); got != want || c.Operation().Position() != time.Second {
			t.Errorf("look %d: stalled is %v, want %v; the position is %v", i, got, want, c.Operation().Position())
		}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				c.Stalled()
			}
		}
	}()
	lost := 0
	for i := range time.Duration(1_000_000) {
		if c.Progress(i); c.Operation().Position() != i {
			lost++
		}
	}
	close(stop)
	<-stopped
	if lost > 0 {
		t.Errorf("%d of a million positions were lost", lost)
	}
}
