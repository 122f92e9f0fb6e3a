package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// uploadTime is how long an upload may take after the hang-up.
const uploadTime = 20 * time.Second

// recorder is media that records until a stop tone, the longest duration or the end of its
// operation, and uploads what there is. Who listens for silence too, as package media does, ends it
// with operation.MaxSilence or operation.InitialSilence.
func recorder(caller <-chan []int16, keys *tone.Stream) queue.Media {
	return queue.Blocking(func(ctx context.Context, op queue.Active) (operation.Result, error) {
		request, ok := op.Request().(*operation.RecordResponse)
		if !ok {
			return operation.Result{}, fmt.Errorf("cannot do a %s", op.Kind())
		}
		r := request.WithDefaults()
		ctx, cancel := context.WithTimeoutCause(ctx, r.MaxDuration, operation.MaxDuration)
		defer cancel()
		ctx, end := context.WithCancelCause(ctx)
		defer end(nil)
		pressed, err := keys.Handle(tone.All, func(e tone.Event) {
			if r.StopTones.Contains(e.Tone) {
				end(operation.StopTone)
			}
		})
		if err != nil {
			return operation.Result{}, err
		}
		defer pressed.Close()

		var samples []int16
		for {
			select {
			case frame := <-caller:
				samples = append(samples, frame...)
			case <-ctx.Done():
				why, _ := errors.AsType[operation.Reason](context.Cause(ctx))
				last, cancel := context.WithTimeout(op.DetachedContext(), uploadTime)
				defer cancel()
				recording, err := upload(last, samples) //nolint:contextcheck // ctx would end it
				return operation.Result{Reason: why, Recording: recording}, err
			}
		}
	})
}

// upload stands for yours.
func upload(ctx context.Context, samples []int16) (operation.Recording, error) {
	if err := ctx.Err(); err != nil {
		return operation.Recording{}, err
	}
	return operation.Recording{
		Location: "https://recordings.contoso.com/call-1.wav",
		Duration: time.Duration(len(samples)) * time.Second / 16000,
	}, nil
}
