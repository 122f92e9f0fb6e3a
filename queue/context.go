package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
)

// A context is code of others. It is asked without the lock, and one that panics, as a typed nil
// does, is an error.

// alive returns an error if ctx is nil or over.
func alive(ctx context.Context) (err error) {
	if ctx == nil {
		return errNilContext
	}
	defer contextPanicked(ctx, &err)
	if ctx.Err() != nil {
		return fmt.Errorf("queue: context is over: %w", context.Cause(ctx))
	}
	return nil
}

// doneOf returns the context's Done channel.
func doneOf(ctx context.Context) (done <-chan struct{}, err error) {
	if ctx == nil {
		return nil, errNilContext
	}
	defer contextPanicked(ctx, &err)
	return ctx.Done(), nil
}

// causeOf returns why a context is over, also of one that does not say it.
func causeOf(ctx context.Context) (err error) {
	defer contextPanicked(ctx, &err)
	return cmp.Or(context.Cause(ctx), context.Canceled)
}

// contextPanicked is deferred where a context is asked.
func contextPanicked(ctx context.Context, err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("queue: context %T panicked: %v", ctx, v)
	}
}

var errNilContext = errors.New("queue: nil context")
