package tone_test

import (
	"context"
	"errors"
	"fmt"

	"ivrqueue/tone"
)

// A menu reads key presses in a loop until the call ends.
func ExampleSubscription_Next() {
	var stream tone.Stream // one per call
	keys := stream.Subscribe()

	stream.Publish(tone.Tone4)
	stream.PublishFrom("alice", tone.Pound)
	stream.End() // the call has ended

	for {
		e, err := keys.Next(context.Background())
		if errors.Is(err, tone.ErrEnded) {
			break
		}
		fmt.Printf("%d %v by %q\n", e.Seq, e.Tone, e.Participant)
	}
	// Output:
	// 1 tone4 by ""
	// 2 pound by "alice"
}

// A recorder is ended by the stop tones of its request, and by no others.
func ExampleStream_Handle() {
	var stream tone.Stream
	stop, err := tone.ParseSet("#*")
	if err != nil {
		fmt.Println(err)
		return
	}
	sub, err := stream.Handle(stop, func(e tone.Event) { fmt.Printf("stopped by %c\n", e.Tone.Char()) })
	if err != nil {
		fmt.Println(err)
		return
	}
	stream.Publish(tone.Tone1)
	stream.Publish(tone.Star)
	stream.End()
	<-sub.Done()
	// Output: stopped by *
}

func ExampleParseSet() {
	_, err := tone.ParseSet("12x")
	fmt.Println(err)
	// Output: tone: set "12x" at index 2: tone: character 'x', must be one of 0123456789*#ABCD!abcd
}
