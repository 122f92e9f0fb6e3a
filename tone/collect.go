package tone

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Collected is what [Subscription.Collect] has collected. The digits may be somebody's PIN: String
// and LogValue tell how many there are, not which.
type Collected struct {
	Reason Reason // why the collection ended

	// Digits are the characters of what was entered, also if it is not complete; without the stop
	// tone, unless that was to be kept.
	Digits string

	// Tones are all tones that were collected, in order; the last one may be a stop tone.
	Tones []Event

	// Lost is how many tones, of whatever value, are missing before or between these, because the
	// subscription lagged by more than 256. With KeepSince it counts all that may have been later.
	// If it is not 0, Digits are not all that was pressed.
	Lost uint64

	// Err is the cause of the context's end, or [ErrClosed], where the reason is Cancelled; and
	// what was wrong with a Verdict. Otherwise it is nil.
	Err error
}

// String returns the reason and the number of digits.
func (c Collected) String() string { return fmt.Sprintf("%v, %d digits", c.Reason, len(c.Digits)) }

// LogValue returns the reason, and the numbers of digits and of lost tones.
func (c Collected) LogValue() slog.Value {
	return slog.GroupValue(slog.String("reason", c.Reason.String()),
		slog.Int("digits", len(c.Digits)), slog.Uint64("lost", c.Lost))
}

// Collect reads tones until they are what the options ask for, cannot become it, or do not come in
// time, and returns what it has read and why it ended. It waits, and must not be called while
// holding a lock that whoever publishes wants.
//
// A tone that was published before a timeout ends, or at that instant, counts; a later one, and
// whatever follows the end, stays in the subscription for the next call. If several things have
// happened, the end of ctx comes first: tones that were not read by then stay too. Then come the
// tones, then the end of the call, then timeouts. Where OverallTimeout and another timeout end at
// once, the other one is the reason.
//
// The error is for options that are not valid, of a nil ctx, of one that panics, and of a nil
// subscription; or it is [ErrCollecting]: one Collect at a time reads from a subscription. Then
// nothing was read. All else is a reason, also a ctx that has ended already, or a subscription that
// was closed (Cancelled), or a call that has ended (CallEnded).
//
// Collections of several subscriptions are independent. A collection holds one timer, none if it
// has no timeout, and no goroutine.
func (s *Subscription) Collect(ctx context.Context, o CollectOptions) (Collected, error) {
	ended, err := ending(ctx)
	if err != nil {
		return Collected{}, err
	}
	c, err := newCollector(o, time.Now())
	if err != nil {
		return Collected{}, err
	}
	if err := s.claim(o.TypeAhead, ended); err != nil {
		return Collected{}, err
	}
	defer s.unclaim()
	why := s.collect(c, ended)
	switch {
	case why != Cancelled:
		return c.end(why, nil), nil
	case isClosed(ended):
		return c.end(why, cause(ctx)), nil
	default:
		return c.end(why, ErrClosed), nil
	}
}

// ending returns the channel that is closed with ctx.
func ending(ctx context.Context) (ended <-chan struct{}, err error) {
	if ctx == nil {
		return nil, errors.New("tone: Collect: nil context")
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("tone: Collect: context %T panicked: %v", ctx, v)
		}
	}()
	return ctx.Done(), nil
}

// cause returns why ctx has ended.
func cause(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("tone: Collect: context %T panicked: %v", ctx, v)
		}
	}()
	return fmt.Errorf("tone: Collect: %w", cmp.Or(context.Cause(ctx), context.Canceled))
}

// claim makes the subscription that of one collection, and drops what came before, unless the
// collection has ended before it begins.
func (s *Subscription) claim(ahead TypeAhead, ended <-chan struct{}) error {
	if s == nil || s.stream == nil {
		return errors.New("tone: Collect: subscription was not made by Subscribe")
	}
	s.stream.mu.Lock()
	defer s.stream.mu.Unlock()
	if s.collecting {
		return ErrCollecting
	}
	if !isClosed(ended) {
		if err := s.drop(ahead); err != nil {
			return err
		}
	}
	s.collecting = true
	return nil
}

// unclaim lets others collect. Who waits for Ready hears of what is left.
func (s *Subscription) unclaim() {
	s.stream.mu.Lock()
	defer s.stream.mu.Unlock()
	s.collecting = false
	s.signal()
}

// collect gives the collector what happens, until it ends.
func (s *Subscription) collect(c *collector, ended <-chan struct{}) Reason {
	firstAfter := c.rules.FirstAfter
	if firstAfter == nil {
		c.beginFirst(c.began)
	}
	var timer *time.Timer
	var expired <-chan time.Time
	defer func() {
		if timer != nil {
			timer.Stop()
		}
	}()
	for {
		now := time.Now() // before looking for tones: what comes later is not before now
		if why := s.happened(c, ended); why != 0 {
			return why
		}
		at, why := c.deadline()
		switch {
		case why == 0:
		case !at.After(now):
			return why
		case timer == nil:
			timer = time.NewTimer(time.Until(at))
			expired = timer.C
		default:
			timer.Reset(time.Until(at))
		}
		select {
		case <-s.Ready():
		case <-ended:
		case <-expired:
		case <-firstAfter:
			firstAfter = nil
			c.beginFirst(time.Now())
		}
	}
}

// happened gives the collector all tones there are, and returns why it ends, but for time.
func (s *Subscription) happened(c *collector, ended <-chan struct{}) Reason {
	for {
		if isClosed(ended) {
			return Cancelled
		}
		e, found, why := s.takeFor(c)
		if found && why == 0 {
			why = c.press(e)
		}
		if why != 0 {
			return why
		}
		if found {
			continue
		}
		switch err := s.Err(); {
		case err == nil:
			return 0
		case errors.Is(err, ErrClosed):
			return Cancelled
		default:
			return CallEnded
		}
	}
}

// takeFor takes the next tone, if there is one that the collector does not refuse.
func (s *Subscription) takeFor(c *collector) (e Event, found bool, refused Reason) {
	s.stream.mu.Lock()
	defer s.stream.mu.Unlock()
	if s.closed || s.next > s.stream.last {
		return Event{}, false, 0
	}
	_, at := s.oldest()
	if why := c.refuses(at.tone, at.time); why != 0 {
		return Event{}, false, why
	}
	return e, s.read(&e), 0
}
