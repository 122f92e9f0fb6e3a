// Command bargein ends what a caller hears: by a key, which ends a play that has it among its stop
// tones, and by a record that barges in, which ends everything. The operation knows who did it.
//
//	go run ./examples/bargein
//
// It prints:
//
//	file:menu.wav: completed, keyPressed (200/8514), by tone2
//	file:hours.wav: failed, bargedIn (400/8508), by recordResponse
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
	ctx, line, tones := context.Background(), make(line), new(tone.Stream)
	q, err := queue.New("call-1", queue.Blocking(line.serve))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := tones.Handle(tone.All, q.Tone); err != nil { // once a call: the queue hears the keys
		log.Fatal(err)
	}
	var plays []*operation.Operation
	for _, uri := range []string{"file:menu.wav", "file:hours.wav"} {
		op, err := q.Enqueue(ctx, &operation.PlayPrompt{
			Prompts: []operation.Prompt{{URI: uri}}, StopTones: tone.MustParseSet("123"),
		}, queue.ClientContext(uri))
		if err != nil {
			log.Fatal(err)
		}
		plays = append(plays, op)
	}
	<-line // the caller hears the menu, and presses a key
	if _, err := tones.Publish(tone.Tone2); err != nil {
		log.Fatal(err)
	}
	<-line // the caller hears the hours, and the bot asks something
	if _, err := q.Enqueue(ctx, &operation.RecordResponse{BargeIn: true}); err != nil {
		log.Fatal(err)
	}
	for _, op := range plays {
		result, _ := op.Result()
		by, _ := op.Cause()
		who := string(by.Kind)
		if by.Tone.Valid() {
			who = by.Tone.String()
		}
		fmt.Printf("%s: %v, %v, by %s\n", op.ClientContext(), op.Status(), result.Reason, who)
	}
	q.Close(operation.CallEnded) // the caller hangs up: first the queue ends, then the tones
	<-q.Done()
	tones.End()
}
