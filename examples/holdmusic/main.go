// Command holdmusic plays music in a loop while a caller waits. A notice that must be heard ends
// the music and is protected: what barges in comes after it. At the end of the call a sealed queue
// ends the loop at its next boundary, completed, and not in the middle of a bar.
//
//	go run ./examples/holdmusic
//
// It prints:
//
//	heard music.wav
//	heard music.wav
//	barge-in ended 1, the notice is live: true
//	heard calls-are-recorded.wav
//	heard you-are-next.wav
//	heard music.wav
//	the music: completed, succeeded (200/0)
package main

import (
	"context"
	"fmt"
	"log"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

func main() {
	ctx, line := context.Background(), make(line)
	q, err := queue.New("call-1", queue.Blocking(line.play))
	if err != nil {
		log.Fatal(err)
	}
	hold, recorded, next := play("music.wav"), play("calls-are-recorded.wav"), play("you-are-next.wav")
	hold.Loop = true
	music, err := q.Enqueue(ctx, hold)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("heard", <-line)
	fmt.Println("heard", <-line)

	notice, _, err := q.Interrupt(ctx, recorded, queue.Protected())
	if err != nil {
		log.Fatal(err)
	}
	<-music.Released()                             // it has fallen silent,
	if _, err = q.Enqueue(ctx, hold); err != nil { // and comes again after the notice
		log.Fatal(err)
	}
	_, ended, err := q.Interrupt(ctx, next)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("barge-in ended %d, the notice is live: %t\n", ended.Len(), notice.Live())
	fmt.Println("heard", <-line)
	fmt.Println("heard", <-line)

	if music, err = q.Enqueue(ctx, hold); err != nil {
		log.Fatal(err)
	}
	q.Seal() // nothing more is accepted, and loops end
	fmt.Println("heard", <-line)
	<-q.Done()
	result, _ := music.Result()
	fmt.Printf("the music: %v, %v\n", music.Status(), result.Reason)
}

func play(uri string) *operation.PlayPrompt {
	return operation.Play(uri)
}
