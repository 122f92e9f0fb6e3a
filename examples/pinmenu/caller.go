package main

import (
	"context"
	"fmt"
	"log"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// line is what the caller hears: the address of each prompt when it begins, and why it fell silent.
type line struct{ begins, ends chan string }

func newLine() line { return line{make(chan string), make(chan string, 3)} }

// play is the media: a prompt is played until it is ended.
func (l line) play(ctx context.Context, op queue.Active) (operation.Result, error) {
	play, ok := op.Request().(*operation.PlayPrompt)
	if !ok {
		return operation.Result{}, fmt.Errorf("cannot do %q", op.Kind())
	}
	select {
	case l.begins <- play.Prompts[0].URI:
		<-ctx.Done()
		result, _ := op.Result()
		l.ends <- result.Reason.String()
	case <-ctx.Done():
	}
	return operation.Result{}, op.Err()
}

// caller presses keys at each prompt, and hears that the first of them silences it.
func (l line) caller(tones *tone.Stream, answers ...string) {
	for _, keys := range answers {
		uri := <-l.begins
		for i, char := range keys {
			key, err := tone.FromChar(char)
			if err == nil {
				_, err = tones.Publish(key)
			}
			if err != nil {
				log.Fatal(err)
			}
			if i == 0 {
				fmt.Printf("%s: the caller presses %s, the first key ends it: %s\n", uri, keys, <-l.ends)
			}
		}
	}
}
