package queue_test

import (
	"context"
	"fmt"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

func Example() {
	player := queue.Blocking(func(ctx context.Context, op queue.Active) (operation.Result, error) {
		<-ctx.Done() // yours sends frames until then, and asks op.Live() before each
		return operation.Result{}, op.Err()
	})
	q, err := queue.New("call-1", player)
	if err != nil {
		panic(err)
	}
	hello := operation.Play("file:hello.wav")
	for range 2 { // the first one runs, the second one waits
		if _, err := q.Enqueue(context.Background(), hello); err != nil {
			panic(err)
		}
	}
	for op := range q.CancelAll().Cancelled() { // both have ended now, at one instant
		r, _ := op.Result()
		fmt.Println(op.Kind(), op.Status(), r.Reason)
	}
	q.Close(nil) // the caller has hung up
	<-q.Done()
	// Output:
	// playPrompt failed cancelled (400/8508)
	// playPrompt failed cancelled (400/8508)
}
