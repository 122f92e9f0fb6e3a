package queue_test

import (
	"context"
	"fmt"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// A voicemail takes longer to upload than the call lasts. The queue is done without it; its location
// arrives all the same.
func Example_voicemail() {
	uploaded := make(chan queue.Task, 1)
	recorder := &queuetest.Media{OnStop: func(t queue.Task) { uploaded <- t }}
	late := make(chan queue.Event, 1)
	q, err := queue.New("call-1", recorder, quiet, queue.WithInlineMedia(),
		queue.WithObserver(queue.ObserverFunc(func(e queue.Event) {
			if e.Kind == queue.Late {
				late <- e
			}
		})))
	if err != nil {
		panic(err)
	}
	voicemail, err := q.Enqueue(context.Background(), &operation.RecordResponse{},
		queue.StopTimeout(time.Millisecond))
	if err != nil {
		panic(err)
	}
	q.Close(operation.CallEnded) // the caller hangs up
	<-voicemail.Released()
	result, _ := voicemail.FinalResult()
	fmt.Printf("%v %q\n", result.Reason, result.Recording.Location)

	<-q.Done()
	(<-uploaded).End(operation.Result{Recording: operation.Recording{Location: "voicemail.wav"}})
	fmt.Println((<-late).Result().Recording.Location)
	result, _ = voicemail.FinalResult()
	fmt.Printf("%v %q\n", result.Reason, result.Recording.Location)
	// Output:
	// abandoned (500/9999) ""
	// voicemail.wav
	// callEnded (400/8528) "voicemail.wav"
}
