package queuetest_test

import (
	"context"
	"fmt"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// Scripted media stands in for the real one in the test of a call flow, and a recorder keeps what
// came of it.
func Example() {
	media := &queuetest.Media{}
	events := &queuetest.Recorder{}
	q, err := queue.New("call-1", media, queue.WithObserver(events))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	for _, uri := range []string{"file:welcome.wav", "file:menu.wav"} {
		_, err := q.Enqueue(ctx, &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: uri}}})
		if err != nil {
			fmt.Println(err)
			return
		}
	}

	welcome, _ := media.WaitStarted(ctx, 1)
	welcome.End(operation.Result{}) // the welcome has been played
	_, _ = media.WaitStarted(ctx, 2)
	q.Close(nil) // the caller hangs up during the menu
	<-q.Done()

	fmt.Print(events)
	// Output:
	// 1 accepted A
	// 2 started A
	// 3 accepted B
	// 4 ended A succeeded
	// 5 started B
	// 6 ended B callEnded
	// 7 released B cancelled
	// 8 closed callEnded
}

// The rules that TestMedia checks. A test of your own media is three lines:
//
//	func TestMediaKeepsTheContract(t *testing.T) {
//		queuetest.TestMedia(t, queuetest.Harness{New: newMedia, Ends: shortPrompt, Lasts: loop})
//	}
func ExampleCases() {
	for _, c := range queuetest.Cases() {
		fmt.Println(c.Name)
	}
	// Output:
	// an operation ends by itself
	// an end inside Start counts
	// a failure is reported with its cause
	// a failure leaves nothing behind
	// a series is done one after the other
	// an end is reported once
	// a stop is reported once
	// a stop is answered
	// a stop before Start is answered
	// a stop right after Start is answered
	// a stop that meets the end is answered
	// a stop that comes again changes nothing
	// a stop returns
	// the end of one operation does not end the next
	// a barge-in is a stop too
	// the end of the call is a stop too
	// a cancel is followed by silence
	// a pause is silence, and then it goes on
	// what is paused can be stopped
	// what was prepared is done as ever
	// a Prepare is over soon after its operation
	// a loop ends with the seal
	// a Start that hangs is over soon after its operation
	// a stop that hung returns when its back end answers
	// a report after being abandoned ends nothing else
	// an abandoned Start disturbs nothing else
}
