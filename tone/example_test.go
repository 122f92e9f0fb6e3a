package tone_test

import (
	"context"
	"errors"
	"fmt"
	"time"

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

// A PIN is four digits and '#'. If the '#' is forgotten, the PIN is taken two seconds later.
func ExampleSubscription_Collect_pin() {
	var stream tone.Stream // the call's
	keys := stream.Subscribe()
	prompt := make(chan struct{}) // as of prompt.Done(), the operation that asks for the PIN

	for _, key := range []tone.Tone{tone.Tone2, tone.Tone4, tone.Tone6, tone.Tone8, tone.Pound} {
		stream.Publish(key)
	}
	pin, err := keys.Collect(context.Background(), tone.CollectOptions{
		Min:               4,
		Max:               4,
		StopTones:         tone.MustParseSet("#"),
		FirstTimeout:      5 * time.Second,
		FirstAfter:        prompt,
		InterDigitTimeout: 3 * time.Second,
		TermTimeout:       2 * time.Second,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pin.Digits, pin.Reason, pin.Reason.Subcode())
	fmt.Println(pin) // in a log
	// Output:
	// 2468 stopTone 8514
	// stopTone, 4 digits
}

// A menu of 1, 12 and *9 ends as soon as it can: *9 at once, 1 when no 2 follows in time.
func ExampleSubscription_Collect_menu() {
	menu := tone.CollectOptions{
		Pattern:           tone.MustCompilePattern(`1|12|\*9`),
		FirstTimeout:      5 * time.Second,
		InterDigitTimeout: 20 * time.Millisecond, // two seconds, for people
	}
	var stream tone.Stream
	keys := stream.Subscribe()
	for _, pressed := range [][]tone.Tone{
		{tone.Star, tone.Tone9},
		{tone.Tone1, tone.Tone2},
		{tone.Tone1},
		{tone.Star},
		{tone.Tone7},
	} {
		for _, key := range pressed {
			stream.Publish(key)
		}
		choice, err := keys.Collect(context.Background(), menu)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(choice.Digits, choice.Reason)
	}
	// Output:
	// *9 matched
	// 12 matched
	// 1 matched
	// * interDigitTimeout
	// 7 noMatch
}
