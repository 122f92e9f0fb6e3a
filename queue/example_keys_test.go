package queue_test

import (
	"context"
	"fmt"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
)

// The caller knows the menu: the key that he presses silences it, and what waits is played.
func ExampleQueue_Tone() {
	q, err := queue.New("call-1", &queuetest.Media{}, queue.WithInlineMedia())
	if err != nil {
		panic(err)
	}
	var keys tone.Stream
	handled, err := keys.Handle(tone.All, q.Tone)
	if err != nil {
		panic(err)
	}
	enqueue := func(uri string) *operation.Operation {
		op, err := q.Enqueue(context.Background(), &operation.PlayPrompt{
			Prompts: []operation.Prompt{{URI: uri}}, StopTones: tone.MustParseSet("123"),
		})
		if err != nil {
			panic(err)
		}
		return op
	}
	menu, hours := enqueue("file:menu.wav"), enqueue("file:hours.wav")

	if _, err := keys.Publish(tone.Tone2); err != nil {
		panic(err)
	}
	result, err := menu.Wait(context.Background())
	keys.End()
	<-handled.Done() // the queue has had the key, and the media has fallen silent
	fmt.Println(result.Reason, err, hours.Status())

	q.Close(nil)
	// Output: keyPressed (200/8514) <nil> running
}
