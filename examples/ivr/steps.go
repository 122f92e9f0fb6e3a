package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"ivrqueue/examples/ivr/demo"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// inTime is how long a tone may take to its subscriber. It takes no time, and a busy machine takes
// what it likes: this is for tones that wait until what is played is over.
const inTime = 2 * time.Second

// enqueue queues a request under a name.
func (s *script) enqueue(
	ctx context.Context, name string, r operation.Request,
) (*operation.Operation, error) {
	op, err := s.queue.Enqueue(ctx, r, queue.ClientContext(name))
	if err != nil {
		return nil, fmt.Errorf("enqueue %s: %w", name, err)
	}
	s.accepted = append(s.accepted, op)
	return op, nil
}

// during waits until op, which plays that sound, has started, and then until its middle, but no
// longer than most.
func (s *script) during(
	ctx context.Context, op *operation.Operation, playing sound, most time.Duration,
) error {
	if _, err := s.witness.event(ctx, op, queue.Started); err != nil {
		return err
	}
	return demo.Pause(ctx, min(playing.length()/2, most))
}

// press has the caller press a key, and waits until the bot's subscription has heard it.
func (s *script) press(ctx context.Context, key tone.Tone) (heardTone, error) {
	s.line.now("caller", fmt.Sprintf("presses %c", key.Char()), "")
	seq, err := s.tones.Publish(key) //nolint:contextcheck // a handler logs without one of ours
	if err != nil {
		return heardTone{}, err
	}
	heard, err := s.witness.tone(ctx, seq)
	if err != nil {
		return heardTone{}, err
	}
	if heard.after > inTime {
		return heard, fmt.Errorf("%v was heard after %v, want at most %v", key, heard.after, inTime)
	}
	return heard, nil
}

// wantEnd waits until the end of op was delivered and compares its reason.
func (s *script) wantEnd(
	ctx context.Context, op *operation.Operation, want operation.Reason,
) error {
	e, err := s.witness.event(ctx, op, queue.Ended)
	if err != nil {
		return err
	}
	if got := e.Result().Reason; got != want {
		return fmt.Errorf("%s ended with %w, want %w", op.ClientContext(), cause(e.Result()), want)
	}
	return nil
}

// cause returns the most specific error of a result.
func cause(r operation.Result) error {
	if r.Err != nil {
		return r.Err
	}
	return r.Reason
}

// wantCancelled waits until the ends of those whom a cancel should have ended were delivered, and
// their media is silent; then it prints the receipt and compares whom it names.
func (s *script) wantCancelled(
	ctx context.Context, receipt queue.Receipt, why operation.Reason, want ...*operation.Operation,
) error {
	got := slices.Collect(receipt.Cancelled())
	names := make([]string, 0, len(got))
	for _, op := range got {
		names = append(names, op.ClientContext())
	}
	for _, op := range want {
		if err := s.wantEnd(ctx, op, why); err != nil {
			return err
		}
		if op.Times().Started.IsZero() {
			continue
		}
		if _, err := s.witness.event(ctx, op, queue.Released); err != nil {
			return err
		}
	}
	s.line.now("bot", "the receipt: "+strings.Join(names, ", "), spell(why))
	if !slices.Equal(got, want) {
		return fmt.Errorf("the receipt names %q, want the %d that ran and waited", names, len(want))
	}
	return nil
}
