// Command voicemail records a caller who presses # when all is said, and one who hangs up in the
// middle. The second one's operation has failed at that instant, and its recording is not lost: it
// arrives with the event that says that the media is through with the operation, here after an
// upload: recorder.go.
//
//	go run ./examples/voicemail
//
// It prints:
//
//	ended: stopTone (200/8514), store https://recordings.contoso.com/call-1.wav, 60ms
//	ended: callEnded (400/8528)
//	released: callEnded (400/8528), store https://recordings.contoso.com/call-1.wav, 60ms
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

func main() {
	for _, hangsUp := range []bool{false, true} {
		if err := call(hangsUp); err != nil {
			log.Fatal(err)
		}
	}
}

func call(hangsUp bool) error {
	caller := make(chan []int16) // what the caller says, in frames of 20 ms
	var keys tone.Stream         // and presses
	observer := queue.WithObserver(queue.ObserverFunc(store))
	q, err := queue.New("call-1", recorder(caller, &keys), observer)
	if err != nil {
		return err
	}
	record := &operation.RecordResponse{StopTones: tone.SetOf(tone.Pound)}
	message, err := q.Enqueue(context.Background(), record,
		queue.StopTimeout(uploadTime+time.Second)) // it waits for the upload after the hang-up
	if err != nil {
		return err
	}
	for range 3 {
		caller <- make([]int16, 320)
	}
	if !hangsUp {
		if _, err := keys.Publish(tone.Pound); err != nil {
			return err
		}
		<-message.Done()
	}
	q.Close(operation.CallEnded) // the caller hangs up: the queue and the keys are yours to end
	keys.End()
	<-q.Done() // the recording is there, or the stop timeout is over
	return nil
}

// store observes the call. A recording comes with Ended if the record came to its own end, with
// Released if it was cut short, and with Late if the upload takes longer than the stop timeout.
func store(e queue.Event) {
	if r := e.Result(); r.Recording.Location != "" {
		fmt.Printf("%v: %v, store %s, %v\n", e.Kind, r.Reason, r.Recording.Location, r.Recording.Duration)
	} else if e.Kind == queue.Ended {
		fmt.Printf("%v: %v\n", e.Kind, r.Reason)
	}
}
