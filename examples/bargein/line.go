package main

import (
	"context"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// line prints what the caller hears, when it begins.
type line chan string

// serve is the media: it plays, or records, until it is ended.
func (l line) serve(ctx context.Context, op queue.Active) (operation.Result, error) {
	select {
	case l <- op.ClientContext():
		<-ctx.Done()
	case <-ctx.Done():
	}
	return operation.Result{}, op.Err()
}
