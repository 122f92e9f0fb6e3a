package operation_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"ivrqueue/operation"
)

type (
	key    string
	number int
)

// What an observer attaches is beside what Enqueue's context has, before it, and goes with it.
func TestAttachedValuesAreThoseOfTheOperation(t *testing.T) {
	t.Parallel()
	enqueued := context.WithValue(context.WithValue(t.Context(), key("a"), 1), key("b"), 1)
	for _, test := range []struct {
		name string
		spec operation.Spec
		want map[key]any
	}{
		{"beside a context", operation.Spec{Context: enqueued}, map[key]any{"a": 1, "b": 2, "c": 3}},
		{"alone", operation.Spec{}, map[key]any{"a": nil, "b": 2, "c": 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := accepted(t, new(operation.Generation), test.spec)
			op := c.Operation()
			before := op.Context()
			for k, v := range map[key]any{"b": 2, "c": 3} {
				if err := op.Attach(context.WithValue(context.Background(), k, v)); err != nil {
					t.Fatal(err)
				}
			}
			for k, want := range test.want {
				for _, ctx := range []context.Context{before, op.Context(), op.DetachedContext()} {
					if got := ctx.Value(k); got != want {
						t.Errorf("%T: %s is %v, want %v", ctx, k, got, want)
					}
				}
			}
			c.ReleaseValues()
			if got := op.DetachedContext().Value(key("c")); got != nil {
				t.Errorf("after the release there is %v", got)
			}
		})
	}
}

// panicking is a context whose values panic.
type panicking struct{ context.Context }

func (panicking) Value(any) any { panic("no values") }

func TestWhatCanNotBeAttachedIsAnError(t *testing.T) {
	t.Parallel()
	op := accepted(t, new(operation.Generation), operation.Spec{}).Operation()
	other := accepted(t, new(operation.Generation), operation.Spec{}).Operation()
	// Of an operation to which this one's values were attached.
	if err := other.Attach(context.WithValue(op.Context(), key("a"), 1)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		op   *operation.Operation
		ctx  context.Context
		want string
	}{
		{"no operation", nil, t.Context(), "nil operation"},
		{"no context", op, nil, "nil context"},
		{"a typed nil", op, (*panicking)(nil), "*operation_test.panicking panicked"},
		{"one that panics", op, panicking{}, "no values"},
		{"its own", op, op.Context(), "derives from the operation's own"},
		{"one of its own", op, context.WithValue(op.Context(), key("a"), 1), "derives from the operation's own"},
		{"by another one", op, other.Context(), "derives from the operation's own"},
		{"by another one's detached", op, other.DetachedContext(), "derives from the operation's own"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if err := test.op.Attach(test.ctx); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if got := op.DetachedContext().Value(key("b")); got != nil {
				t.Errorf("got %v", got)
			}
		})
	}
}

// None of many contexts that are attached at once is lost.
func TestManyMayAttachAtOnce(t *testing.T) {
	t.Parallel()
	op := accepted(t, new(operation.Generation), operation.Spec{}).Operation()
	const n = 100
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { _ = op.Attach(context.WithValue(context.Background(), number(i), true)) })
	}
	all.Wait()
	for i := range n {
		if op.Context().Value(number(i)) != true {
			t.Errorf("%d was lost", i)
		}
	}
}

// Whether an operation was preempted is known for good, and it is not once its media has ended it.
func TestPreemptedIsKnownAfterTheRelease(t *testing.T) {
	t.Parallel()
	c := accepted(t, new(operation.Generation), operation.Spec{})
	if c.Operation().Preempted() || (*operation.Operation)(nil).Preempted() {
		t.Error("it is preempted before its end")
	}
	c.Stopping()
	if err := c.End(&operation.Result{Reason: operation.TimedOut}, time.Now()); err != nil {
		t.Fatal(err)
	}
	c.Release(nil)
	if !c.Operation().Preempted() {
		t.Error("it is not preempted after its release")
	}
}
