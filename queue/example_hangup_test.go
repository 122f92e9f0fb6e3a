package queue_test

import (
	"context"
	"fmt"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// The caller hangs up in the middle of a record: the operation has failed at once, and what was
// recorded arrives when the media is through.
func ExampleQueue_Close() {
	recorder := &queuetest.Media{OnStop: func(t queue.Task) {
		t.End(operation.Result{Recording: operation.Recording{Location: "voicemail.wav"}})
	}}
	tell := queue.ObserverFunc(func(e queue.Event) {
		fmt.Printf("%d %v %d %q\n", e.Seq, e.Kind, e.Result().Reason.Subcode(), e.Result().Recording.Location)
	})
	q, err := queue.New("call-1", recorder, queue.WithInlineMedia(), queue.WithInlineObserver(tell))
	if err != nil {
		panic(err)
	}
	if _, err := q.Enqueue(context.Background(), &operation.RecordResponse{}); err != nil {
		panic(err)
	}
	q.Close(operation.CallEnded)
	<-q.Done()
	// Output:
	// 1 accepted 0 ""
	// 2 started 0 ""
	// 3 ended 8528 ""
	// 4 released 8528 "voicemail.wav"
	// 5 closed 8528 ""
}

// The goodbye is heard to its end, and then the call is over.
func ExampleQueue_Seal() {
	player := &queuetest.Media{OnStart: func(t queue.Task) error {
		t.End(operation.Result{}) // a short goodbye
		return nil
	}}
	q, err := queue.New("call-1", player)
	if err != nil {
		panic(err)
	}
	goodbye, err := q.Enqueue(context.Background(), operation.Play("file:goodbye.wav"))
	if err != nil {
		panic(err)
	}
	q.Seal()
	<-q.Done()
	fmt.Println(goodbye.Status())
	// Output: completed
}
