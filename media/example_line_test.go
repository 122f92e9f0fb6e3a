package media_test

import (
	"context"
	"fmt"
	"testing/fstest"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// trunk is a line of G.711: what it is given would go out as the payload of an RTP packet.
type trunk struct{ packets, bytes int }

func (t *trunk) WritePayload(_ time.Time, payload []byte) error {
	t.packets++
	t.bytes += len(payload)
	return nil
}

// A line of G.711 is given payloads of 160 bytes; the file has 16 kHz.
func ExampleCall_codec() {
	engine := media.NewEngine()
	defer engine.Close()
	line := new(trunk)
	m, err := engine.Media(media.Call{
		Codec: media.PCMU, Payloads: line,
		Prompts: media.Files{FS: fstest.MapFS{"welcome.wav": {Data: riff(good, data(media.Rate/10))}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	q, err := queue.New("call-1", m)
	if err != nil {
		fmt.Println(err)
		return
	}
	op, err := q.Enqueue(context.Background(), operation.Play("welcome.wav"))
	if err != nil {
		fmt.Println(err)
		return
	}
	r, _ := op.Wait(context.Background())
	q.Close(nil)
	<-q.Done()
	fmt.Println(r.Reason.Code(), r.Position, line.packets, line.bytes)
	// Output: 200 100ms 5 800
}
