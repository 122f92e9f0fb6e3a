package queue_test

import (
	"context"
	"fmt"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// A bot that got no answer sends its request again: the prompt is heard once.
func ExampleIdempotencyKey() {
	q, err := queue.New("call-1", &queuetest.Media{})
	if err != nil {
		panic(err)
	}
	play := func(key string) (*operation.Operation, error) {
		return q.Enqueue(context.Background(), operation.Play("file:welcome.wav"), queue.IdempotencyKey(key))
	}
	first, err := play("request-17")
	if err != nil {
		panic(err)
	}
	again, err := play("request-17")
	fmt.Println(again == first, err, len(q.Snapshot().Waiting))

	_, _, err = q.Interrupt(context.Background(), &operation.RecordResponse{}, queue.IdempotencyKey("request-17"))
	fmt.Println(err)
	q.Close(nil)
	<-q.Done()
	// Output:
	// true <nil> 0
	// queue: idempotency key of another call
}
