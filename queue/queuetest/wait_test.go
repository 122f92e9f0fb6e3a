package queuetest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// What waits says which of its arguments is wrong, and does not panic, nor wait for what cannot come.
func TestWhatWaitsNamesABadArgument(t *testing.T) {
	t.Parallel()
	var m queuetest.Media
	var rec queuetest.Recorder
	var nobodys *ownContext
	started := func(ctx context.Context, n int) error { _, err := m.WaitStarted(ctx, n); return err }
	stopped := func(ctx context.Context, n int) error { _, err := m.WaitStopped(ctx, n); return err }
	event := func(ctx context.Context, k queue.EventKind, op *operation.Operation) error {
		_, err := rec.Wait(ctx, k, op)
		return err
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{started(t.Context(), 0), "WaitStarted: n is 0, must be 1 or more"},
		{started(t.Context(), -1), "WaitStarted: n is -1"},
		{stopped(t.Context(), 0), "WaitStopped: n is 0"},
		{started(nil, 1), "WaitStarted: nil context"},
		{stopped(nobodys, 1), "WaitStopped: nil context (*queuetest_test.ownContext)"},
		{event(nil, queue.Closed, nil), "Wait: nil context"},
		{event(t.Context(), queue.Ended, nil), "Wait: ended event of no operation"},
		{event(t.Context(), queue.Closed, &operation.Operation{}), "Wait: closed event of"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("got %v, want an error with %q", c.err, c.want)
		}
	}
}

type ownContext struct{ context.Context }

// Nor does it return without an error when its context has ended and does not say why.
func TestWhatWaitsFailsWithItsContext(t *testing.T) {
	t.Parallel()
	var m queuetest.Media
	if _, err := m.WaitStarted(mute{t.Context()}, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// mute is a context that has ended and does not say so.
type mute struct{ context.Context }

func (mute) Done() <-chan struct{} {
	over := make(chan struct{})
	close(over)
	return over
}
