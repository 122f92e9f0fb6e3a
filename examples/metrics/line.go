package main

import (
	"context"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// line prints what the caller hears, when it begins.
type line chan string

// serve is the media: a loop lasts until it is ended, all else takes no time here.
func (l line) serve(ctx context.Context, op queue.Active) (operation.Result, error) {
	if play, ok := op.Request().(*operation.PlayPrompt); ok && play.Loop {
		select {
		case l <- play.Prompts[0].URI:
			<-ctx.Done()
		case <-ctx.Done():
		}
	}
	return operation.Result{}, op.Err()
}
