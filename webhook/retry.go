package webhook

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// permanentError is why a delivery is given up at once.
type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

// retryAfterError is of an answer that says how long to wait.
type retryAfterError struct {
	error

	wait time.Duration
}

func (e retryAfterError) Unwrap() error { return e.error }

// retry makes attempts until one succeeds or fails for good, until the next would begin later than
// within from now, or until ctx ends. It says before each wait how long that is, and returns why it
// gave up: the last attempt's error, or the cause of ctx.
func (p *Policy) retry(
	ctx context.Context, within time.Duration, attempt func() error, waits func(time.Duration),
) error {
	began, mean := time.Now(), p.Backoff
	for {
		err := attempt()
		if err == nil {
			return nil
		}
		if final, ok := errors.AsType[permanentError](err); ok {
			return final.error
		}
		if ctx.Err() != nil {
			return cmp.Or(context.Cause(ctx), context.Canceled) // Err may say nothing
		}
		wait := mean/2 + rand.N(mean+1) // so that those that failed together do not come back together
		mean = min(2*mean, p.MaxBackoff)
		if asked, ok := errors.AsType[retryAfterError](err); ok {
			wait, mean = asked.wait, p.Backoff
		}
		if time.Since(began)+wait > within {
			return err
		}
		waits(wait)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return cmp.Or(context.Cause(ctx), context.Canceled) // Err may say nothing
		}
	}
}
