package main

import (
	"context"
	"errors"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// The dialog of the command pin. It is the one of package queue's example, letter by letter, whose
// tests have it to the millisecond.

var (
	askPIN   = []operation.Prompt{{URI: ours + "prompts/pin.wav"}}
	askAgain = []operation.Prompt{{URI: ours + "prompts/pin-again.wav"}}

	errNoPIN = errors.New("no right PIN in three tries")
)

// enterPIN asks for a PIN until one is right, and returns nil then; else errNoPIN, or why it was
// over before: operation.CallEnded, or the cause of ctx, by which the bot cancels the dialog.
func enterPIN(
	ctx context.Context, q *queue.Queue, keys *tone.Subscription, right func(pin string) bool,
) error {
	ask, ahead := askPIN, tone.KeepAll() // who types ahead need not hear the prompt
	for range 3 {
		pin, err := collectPIN(ctx, q, keys, ask, ahead)
		switch {
		case err != nil:
			return err
		case pin.Reason == tone.Cancelled:
			return pin.Err
		case pin.Reason == tone.CallEnded:
			return operation.CallEnded
		case pin.Reason.Completed() && pin.Lost == 0 && right(pin.Digits):
			return nil
		}
		// The rest of a wrong PIN is not the next one; what is pressed from now on is.
		ask, ahead = askAgain, tone.KeepSince(time.Now())
	}
	return errNoPIN
}

// collectPIN plays a prompt, which the first key silences, and collects four digits and '#'. It is
// cancelled with ctx, and with the prompt.
func collectPIN(
	ctx context.Context, q *queue.Queue, keys *tone.Subscription,
	ask []operation.Prompt, ahead tone.TypeAhead,
) (tone.Collected, error) {
	prompt, err := q.Enqueue(ctx, &operation.PlayPrompt{Prompts: ask, StopTones: tone.All},
		queue.ClientContext("pin"))
	if err != nil {
		return tone.Collected{}, err
	}
	defer func() { _, _ = q.Cancel(prompt.ID()) }() // if it plays still
	ctx, stop := operation.UntilFailed(ctx, prompt)
	defer stop()
	return keys.Collect(ctx, tone.CollectOptions{
		Min: 4, Max: 4, StopTones: tone.MustParseSet("#"), TypeAhead: ahead,
		FirstTimeout: 5 * time.Second, FirstAfter: prompt.Done(),
		InterDigitTimeout: 3 * time.Second, TermTimeout: 2 * time.Second,
	})
}
