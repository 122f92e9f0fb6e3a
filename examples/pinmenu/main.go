// Command pinmenu asks for a PIN of four digits and '#', three times at most. The first key
// silences the prompt, and counts; a PIN without its '#' is taken two seconds later. dialog.go is
// what you copy; caller.go is a caller who errs once.
//
//	go run ./examples/pinmenu
//
// It prints:
//
//	enter-your-pin.wav: the caller presses 1234#, the first key ends it: keyPressed
//	that-was-not-right.wav: the caller presses 2468#, the first key ends it: keyPressed
//	the PIN is right
package main

import (
	"context"
	"fmt"
	"log"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

func main() {
	line, tones := newLine(), new(tone.Stream)
	q, err := queue.New("call-1", queue.Blocking(line.play))
	if err != nil {
		log.Fatal(err)
	}
	handled, err := tones.Handle(tone.All, q.Tone) // keys silence prompts
	if err != nil {
		log.Fatal(err)
	}
	go line.caller(tones, "1234#", "2468#")

	menu := Menu{Queue: q, Keys: tones.Subscribe()}
	err = menu.AskPIN(context.Background(), func(pin string) bool { return pin == "2468" })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the PIN is right")

	q.Close(operation.CallEnded) // the caller hangs up: first the queue ends, then the tones
	<-q.Done()
	tones.End()
	<-handled.Done()
}
