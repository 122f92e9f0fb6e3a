package operation_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
)

func TestUntilFailedEndsWithAFailureAndNotWithACompletion(t *testing.T) {
	t.Parallel()
	own := errors.New("of the parent")
	end := func(why operation.Reason) func(*operation.Control) {
		return func(c *operation.Control) {
			if err := c.End(&operation.Result{Reason: why}, time.Now()); err != nil {
				panic(err)
			}
			c.NotifyDone()
		}
	}
	complete, fail := end(operation.KeyPressed), end(operation.Cancelled)
	for name, test := range map[string]struct {
		before, after func(*operation.Control)
		parent, stop  bool
		want          error // nil: it lives
	}{
		"it runs":                  {},
		"completes":                {after: complete},
		"has completed":            {before: complete},
		"fails":                    {after: fail, want: operation.Cancelled},
		"has failed":               {before: fail, want: operation.Cancelled},
		"the parent ends":          {parent: true, want: own},
		"completes, then parent":   {after: complete, parent: true, want: own},
		"fails, then parent":       {after: fail, parent: true, want: operation.Cancelled},
		"is stopped, and fails":    {stop: true, after: fail, want: context.Canceled},
		"fails, and the rest also": {before: fail, stop: true, parent: true, want: operation.Cancelled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				parent, endParent := context.WithCancelCause(t.Context())
				defer endParent(nil)
				c := accepted(t, new(operation.Generation), operation.Spec{})
				if test.before != nil {
					test.before(c)
				}
				ctx, stop := operation.UntilFailed(parent, c.Operation())
				defer stop()
				if test.before != nil && !errors.Is(context.Cause(ctx), test.want) {
					t.Errorf("at once: got %v, want %v", context.Cause(ctx), test.want)
				}
				if test.stop {
					stop()
				}
				if test.after != nil {
					test.after(c)
				}
				synctest.Wait()
				if test.parent {
					endParent(own)
				}
				got := context.Cause(ctx)
				if !errors.Is(got, test.want) || test.want == nil && ctx.Err() != nil {
					t.Errorf("got %v, want %v", got, test.want)
				}
			})
		})
	}
}

func TestUntilFailedOfNoOperationNeverFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := operation.UntilFailed(t.Context(), nil)
		if synctest.Wait(); ctx.Err() != nil {
			t.Errorf("it has ended: %v", context.Cause(ctx))
		}
		if stop(); ctx.Err() == nil {
			t.Error("it was stopped, and lives")
		}
		stop() // again does nothing
	})
}
