package main

import (
	"context"
	"fmt"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// line has what the caller has heard, file by file; this program's time passes as it is read.
type line chan string

// play is the media.
func (l line) play(ctx context.Context, op queue.Active) (operation.Result, error) {
	play, ok := op.Request().(*operation.PlayPrompt)
	if !ok {
		return operation.Result{}, fmt.Errorf("cannot do %q", op.Kind())
	}
	for {
		for _, prompt := range play.Prompts {
			select {
			case l <- prompt.URI:
			case <-ctx.Done(): // it was cancelled, or something barged in
				return operation.Result{}, op.Err()
			}
		}
		if !play.Loop || op.LastLoop() { // so a loop ends where it begins again
			return operation.Result{}, nil
		}
	}
}
