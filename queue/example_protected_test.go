package queue_test

import (
	"context"
	"fmt"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// A notice that must be heard is protected: the caller's answer barges in on the music, and is next
// after the notice.
func ExampleProtected() {
	q, err := queue.New("call-1", &queuetest.Media{})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	play := func(uri string) *operation.PlayPrompt {
		return operation.Play(uri)
	}
	notice, _ := q.Enqueue(ctx, play("file:calls-are-recorded.wav"), queue.Protected())
	music, _ := q.Enqueue(ctx, play("file:music.wav"))
	record, receipt, err := q.Interrupt(ctx, &operation.RecordResponse{})
	if err != nil {
		panic(err) // and nothing was ended
	}
	fmt.Println("ended:", receipt.Len(), music.Status())
	fmt.Println("notice:", notice.Status())
	fmt.Println("record:", record.Status())

	by, _ := music.Cause()
	fmt.Println("by the record:", by.ID == record.ID())

	q.Close(nil)
	<-q.Done()
	// Output:
	// ended: 1 failed
	// notice: running
	// record: notStarted
	// by the record: true
}

// The caller pressed a key: the prompts of the menu end, for a reason of the platform's choice, and
// the answer is ahead of what else waits.
func ExampleQueue_CancelWhere() {
	q, err := queue.New("call-1", &queuetest.Media{})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	play := func(uri string) *operation.PlayPrompt {
		return operation.Play(uri)
	}
	menu := queue.ClientContext("menu")
	first, _ := q.Enqueue(ctx, play("file:for-sales-press-1.wav"), menu)
	second, _ := q.Enqueue(ctx, play("file:for-support-press-2.wav"), menu)
	music, _ := q.Enqueue(ctx, play("file:music.wav"))

	receipt, err := q.CancelWhere(
		func(op *operation.Operation) bool { return op.ClientContext() == "menu" },
		queue.CausedBy(operation.Cause{ClientContext: "key 1"}),
	)
	if err != nil {
		panic(err)
	}
	answer, _ := q.EnqueueNext(ctx, play("file:one-moment.wav"))

	fmt.Println("ended:", receipt.Len(), first.Status(), second.Status())
	by, _ := first.Cause()
	fmt.Println("by:", by.ClientContext)
	for op := range receipt.Cancelled() {
		fmt.Println(op.Err() != nil)
	}
	fmt.Println("live:", music.Live(), answer.Live())

	q.Close(nil)
	<-q.Done()
	// Output:
	// ended: 2 failed failed
	// by: key 1
	// true
	// true
	// live: true true
}
