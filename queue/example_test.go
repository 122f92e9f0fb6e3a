package queue_test

import (
	"context"
	"fmt"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

func Example() {
	player := queue.Blocking(func(ctx context.Context, _ queue.Active) (operation.Result, error) {
		<-ctx.Done() // yours sends frames here, and asks its operation Live() before each
		return operation.Result{}, nil
	})
	q, err := queue.New("call-1", player)
	if err != nil {
		panic(err)
	}
	hello := &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "file:hello.wav"}}}
	for range 2 { // the first one runs, the second one waits
		if _, err := q.Enqueue(context.Background(), hello); err != nil {
			panic(err)
		}
	}
	for op := range q.CancelAll().Cancelled() { // both have ended now, at one instant
		r, _ := op.Result()
		fmt.Println(op.Kind(), op.Status(), r.Reason.Error())
	}
	q.Close(nil) // the caller has hung up
	<-q.Done()
	// Output:
	// playPrompt failed cancelled (400/8508)
	// playPrompt failed cancelled (400/8508)
}
