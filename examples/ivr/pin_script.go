package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"ivrqueue/examples/ivr/demo"
	"ivrqueue/operation"
	"ivrqueue/tone"
)

// PINs of the script.
const (
	rightPIN = "2468"
	wrongPIN = "1234"
)

// betweenKeys is the time from one key to the next.
const betweenKeys = 300 * time.Millisecond

// playPIN is the call with the PIN menu: the caller lets the time for the first try go by, enters a
// wrong PIN and then the right one, each time while the prompt is played.
func (s *script) playPIN(ctx context.Context) error {
	keys := s.tones.Subscribe()
	defer keys.Close()
	both, bothCtx := errgroup.WithContext(ctx)
	both.Go(func() error { return enterPIN(bothCtx, s.queue, keys, s.isRight) })
	both.Go(func() error { return s.callerOfPIN(bothCtx) })
	if err := both.Wait(); err != nil {
		return err
	}
	return s.goodbye(ctx)
}

// isRight is what the platform says of a PIN.
func (s *script) isRight(pin string) bool {
	if pin == rightPIN {
		s.line.now("bot", "the PIN is right", "")
		return true
	}
	s.line.now("bot", "the PIN is wrong", "")
	return false
}

// callerOfPIN is the caller's part.
func (s *script) callerOfPIN(ctx context.Context) error {
	prompt, err := s.witness.start(ctx, 1)
	if err != nil {
		return err
	}
	if err := s.wantEnd(ctx, prompt, operation.Succeeded); err != nil {
		return err
	}
	s.line.now("caller", "presses nothing", "")
	for try, pin := range []string{wrongPIN, rightPIN} {
		prompt, err := s.witness.start(ctx, 2+try)
		if err != nil {
			return err
		}
		if err := demo.Pause(ctx, min(s.sounds.pinAgain.length()/2, time.Second)); err != nil {
			return err
		}
		if err := s.enter(ctx, pin+"#"); err != nil {
			return err
		}
		if err := s.wantEnd(ctx, prompt, operation.KeyPressed); err != nil {
			return err
		}
	}
	return nil
}

// enter has the caller press keys, one after the other.
func (s *script) enter(ctx context.Context, keys string) error {
	for i, char := range keys {
		if i > 0 {
			if err := demo.Pause(ctx, betweenKeys); err != nil {
				return err
			}
		}
		key, err := tone.FromChar(char)
		if err != nil {
			return fmt.Errorf("the script: %w", err)
		}
		if _, err := s.press(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
