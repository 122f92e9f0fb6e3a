// Command hello is the core of the library: operations queue up, a cancel ends them all at one
// instant and names whom it ended, and what comes after the cancel is untouched by it.
//
//	go run ./examples/hello
//
// It prints:
//
//	the cancel ended 2 operations:
//	music: failed, cancelled (400/8508)
//	menu: failed, cancelled (400/8508)
//	then goodbye: completed, succeeded (200/0)
package main

import (
	"context"
	"fmt"
	"log"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

func main() {
	ctx := context.Background()

	// A call comes to be: it has a queue, and media that plays.
	q, err := queue.New("call-1", queue.Blocking(play))
	if err != nil {
		log.Fatal(err)
	}

	// The music runs, the menu waits.
	music := &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "file:music.wav"}}, Loop: true}
	menu := operation.Play("file:menu.wav")
	if _, err := q.Enqueue(ctx, music, queue.ClientContext("music")); err != nil {
		log.Fatal(err)
	}
	if _, err := q.Enqueue(ctx, menu, queue.ClientContext("menu")); err != nil {
		log.Fatal(err)
	}

	receipt := q.CancelAll()
	fmt.Println("the cancel ended", receipt.Len(), "operations:")
	for op := range receipt.Cancelled() {
		result, _ := op.Result()
		fmt.Printf("%s: %v, %v\n", op.ClientContext(), op.Status(), result.Reason)
	}

	goodbye := operation.Play("file:goodbye.wav")
	op, err := q.Enqueue(ctx, goodbye)
	if err != nil {
		log.Fatal(err)
	}
	result, err := op.Wait(ctx) // err says why it failed
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("then goodbye: %v, %v\n", op.Status(), result.Reason)

	q.Close(operation.CallEnded) // the caller has hung up
	<-q.Done()
}

// play stands for your media: a loop is played until it is cancelled, all else takes no time here.
func play(ctx context.Context, op queue.Active) (operation.Result, error) {
	if p, ok := op.Request().(*operation.PlayPrompt); ok && p.Loop {
		<-ctx.Done() // yours sends frames until then, and asks op.Live() before each of them
	}
	return operation.Result{}, op.Err() // nil, or why it was cancelled
}
