package queuelog_test

import (
	"context"
	"log/slog"
	"os"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/queuelog"
)

func Example() {
	// Without what differs from run to run.
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.TimeKey, "waited", "ran", "silent", "id":
				return slog.Attr{}
			}
			return a
		},
	}))
	lines, err := queuelog.New(logger)
	if err != nil {
		panic(err)
	}
	q, err := queue.New("call-1", new(queuetest.Media), queue.WithObserver(lines))
	if err != nil {
		panic(err)
	}
	music := &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "file:music.wav"}}, Loop: true}
	if _, err := q.Enqueue(context.Background(), music, queue.ID(uuid.UUID{15: 1})); err != nil {
		panic(err)
	}
	q.CancelAll()
	q.Close(nil)
	<-q.Done()
	// Output:
	// level=INFO msg="operation ended" call=call-1 operation=00000000-0000-0000-0000-000000000001 kind=playPrompt reason=cancelled code=400 subcode=8508 position=0s cause.kind=cancelMediaProcessing
}
