package queue_test

import (
	"context"
	"fmt"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// The bot asks a question over the music: the record ends the music, and everything else, and is
// next, in one step.
func ExampleQueue_Interrupt() {
	q, err := queue.New("call-1", &queuetest.Media{})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	music, _ := q.Enqueue(ctx, &operation.PlayPrompt{
		Prompts: []operation.Prompt{{URI: "file:music.wav"}},
		Loop:    true,
	})
	record, receipt, err := q.Interrupt(ctx, &operation.RecordResponse{
		Prompts: []operation.Prompt{{URI: "file:your-name.wav"}},
	})
	if err != nil {
		panic(err) // and nothing was ended
	}
	fmt.Println(music.Kind(), music.Status(), receipt.Len())
	fmt.Println(record.Kind(), record.Status() != operation.Failed)

	q.Close(nil)
	<-q.Done()
	// Output:
	// playPrompt failed 1
	// recordResponse true
}
