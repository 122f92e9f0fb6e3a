package main

import (
	"context"
	"fmt"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/sip"
	"ivrqueue/tone"
)

// serve takes a call, and returns when it is over.
func serve(ctx context.Context, engine *media.Engine, c *sip.Call) error {
	fmt.Println("ivr:", c.From().User, "calls")
	m, err := engine.Media(media.Call{
		Codec: sip.Codec, Sink: c.Line(), Source: c.Line(), Tones: c.Tones(), Prompts: beeps{},
	})
	if err != nil {
		return err
	}
	q, err := queue.New(c.ID(), m)
	if err != nil {
		return err
	}
	defer func() {
		q.Close(operation.CallEnded)
		<-q.Done()
	}()
	if _, err := c.Tones().Handle(tone.All, q.Tone); err != nil {
		return err
	}
	if err := c.Answer(); err != nil { // or the caller has given up
		return err
	}
	_, err = q.Enqueue(ctx, &operation.PlayPrompt{
		Prompts: []operation.Prompt{{URI: "beeps"}}, Loop: true,
	})
	if err != nil {
		return err
	}
	<-c.Done() // the caller has hung up
	fmt.Println("ivr: the call has ended:", c.End())
	return nil
}

// beeps is a library of prompts, of which each is a second of beeps and two of silence. Yours has
// files: media.Files, or package media/loader.
type beeps struct{}

var beep = media.Beep(media.Codec{}).Samples()

// Load implements [media.Loader].
func (beeps) Load(context.Context, operation.Prompt) (samples []int16, err error) {
	for range 5 {
		samples = append(samples, beep...)
	}
	return append(samples, make([]int16, 2*media.Rate)...), nil
}
