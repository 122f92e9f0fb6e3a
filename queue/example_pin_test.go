package queue_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// A PIN menu: a prompt that falls silent at the first key, four digits and '#', three tries.
func Example_pin() {
	player := queue.Blocking(func(ctx context.Context, _ queue.Active) (operation.Result, error) {
		<-ctx.Done() // yours plays
		return operation.Result{}, nil
	})
	q, err := queue.New("call-1", player)
	if err != nil {
		panic(err)
	}
	var tones tone.Stream
	keys := tones.Subscribe() // for all dialogs of the call: it keeps what is typed ahead
	if _, err := tones.Handle(tone.All, q.Tone); err != nil {
		panic(err)
	}
	for _, key := range []tone.Tone{tone.Tone2, tone.Tone4, tone.Tone6, tone.Tone8, tone.Pound} {
		_, _ = tones.Publish(key)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	fmt.Println(enterPIN(ctx, q, keys, func(pin string) bool { return pin == "2468" }))

	time.AfterFunc(20*time.Millisecond, func() { cancel(operation.Cancelled) }) // the bot cancels
	err = enterPIN(ctx, q, keys, func(string) bool { return true })
	fmt.Println(errors.Is(err, operation.Cancelled))

	q.Close(operation.CallEnded) // the caller hangs up
	tones.End()
	<-q.Done()
	// Output:
	// <nil>
	// true
}

var (
	askPIN   = []operation.Prompt{{URI: "file:enter-your-pin.wav"}}
	askAgain = []operation.Prompt{{URI: "file:not-right-try-again.wav"}}

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
