package media_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// A good prompt is played in real time; a bad one ends its operation, and the queue goes on.
func ExampleEngine() {
	files := media.Files{FS: fstest.MapFS{
		"good.wav": {Data: riff(good, data(2*media.FrameSamples))},
		"song.wav": {Data: []byte("ID3 and so on")},
	}}
	engine := media.NewEngine()
	defer engine.Close()
	phone := media.NewPhone()
	media, err := engine.Media(media.Call{Sink: phone, Prompts: files})
	if err != nil {
		fmt.Println(err)
		return
	}
	q, err := queue.New("call-1", media)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, uri := range []string{"song.wav", "good.wav"} {
		op, err := q.Enqueue(context.Background(), operation.Play(uri))
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
	// 400 8535 0s prompts[0]: media: song.wav: badFormat (400/8535): MP3, must be a WAV file (RIFF … WAVE)
	// 200 0 40ms <nil>
}
