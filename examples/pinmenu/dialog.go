package main

import (
	"context"
	"errors"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// Menu is the dialog of one call.
type Menu struct {
	Queue *queue.Queue
	Keys  *tone.Subscription // one for all dialogs of the call: it keeps what is typed ahead
}

// ErrNoPIN says that no PIN was right.
var ErrNoPIN = errors.New("pinmenu: no right PIN in three tries")

// AskPIN asks for a PIN until one is right. Its other errors are [operation.CallEnded], and the
// cause of ctx, which ends the dialog.
func (m Menu) AskPIN(ctx context.Context, right func(pin string) bool) error {
	ask, keep := "enter-your-pin.wav", tone.KeepAll() // who types ahead need not hear it out
	for range 3 {
		pin, err := m.collect(ctx, ask, keep)
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
		// The rest of a wrong PIN is not the next one.
		ask, keep = "that-was-not-right.wav", tone.KeepSince(time.Now())
	}
	return ErrNoPIN
}

// collect plays a prompt, and collects what is pressed during it and after it.
func (m Menu) collect(
	ctx context.Context, uri string, keep tone.TypeAhead,
) (tone.Collected, error) {
	prompt, err := m.Queue.Enqueue(ctx, &operation.PlayPrompt{
		Prompts:   []operation.Prompt{{URI: uri}},
		StopTones: tone.All, // the first key silences it
	})
	if err != nil {
		return tone.Collected{}, err
	}
	defer func() { _, _ = m.Queue.Cancel(prompt.ID()) }() // an error says that it has ended
	ctx, stop := operation.UntilFailed(ctx, prompt)       // a cancel of the prompt ends the collection
	defer stop()
	return m.Keys.Collect(ctx, tone.CollectOptions{
		Min: 4, Max: 4, StopTones: tone.MustParseSet("#"), TypeAhead: keep,
		FirstTimeout: 5 * time.Second, FirstAfter: prompt.Done(), // 5 s after the prompt
		InterDigitTimeout: 3 * time.Second,
		TermTimeout:       2 * time.Second,
	})
}
