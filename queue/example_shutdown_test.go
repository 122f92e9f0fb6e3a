package queue_test

import (
	"context"
	"fmt"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// A node goes: its calls may end by themselves for a while, the others are closed, and their media
// has some time to report.
func ExampleGroup_Shutdown() {
	var calls queue.Group
	music := &queuetest.Media{} // it plays until it is stopped
	for _, id := range []string{"call-1", "call-2", "call-3"} {
		if _, err := calls.New(id, music); err != nil {
			panic(err)
		}
	}
	if q, ok := calls.Queue("call-2"); ok {
		if _, err := q.Enqueue(context.Background(), &operation.PlayPrompt{
			Prompts: []operation.Prompt{{URI: "file:music.wav"}}, Loop: true,
		}); err != nil {
			panic(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	closed, err := calls.Shutdown(ctx, operation.ShutDown)
	fmt.Println(closed, err)
	fmt.Println(calls.Drain(context.Background()), calls.Len())
	// Output:
	// 1 context deadline exceeded
	// <nil> 0
}
