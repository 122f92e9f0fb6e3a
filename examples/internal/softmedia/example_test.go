package softmedia_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"ivrqueue/examples/internal/softmedia"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// A good prompt is played in real time; a bad one ends its operation, and the queue goes on.
func ExampleEngine() {
	files := softmedia.Files{FS: fstest.MapFS{
		"good.wav": {Data: riff(good, data(2*softmedia.FrameSamples))},
		"8khz.wav": {Data: riff(format(1, 1, 8000, 16), data(8000))},
	}}
	engine := softmedia.NewEngine()
	defer engine.Close()
	phone := softmedia.NewPhone()
	media, err := engine.Media(softmedia.Call{Sink: phone, Prompts: files})
	if err != nil {
		fmt.Println(err)
		return
	}
	q, err := queue.New("call-1", media)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, uri := range []string{"8khz.wav", "good.wav"} {
		op, err := q.Enqueue(context.Background(), &operation.PlayPrompt{
			Prompts: []operation.Prompt{{URI: uri}},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		r, _ := op.Wait(context.Background())
		fmt.Println(r.Reason.Code(), r.Reason.Subcode(), r.Position, r.Err)
	}
	q.Close(nil)
	<-q.Done()
	// Output:
	// 400 8535 0s softmedia: 8khz.wav: badFormat (400/8535): 8000 Hz, must be 16000 Hz
	// 200 0 40ms <nil>
}
