package main

import (
	"context"
	"log"
	"os"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// call makes a call in which a prompt is played.
func call(calls *queue.Group, uri string) *operation.Operation {
	q, err := calls.New("call with "+uri, queue.Blocking(play))
	if err != nil {
		log.Fatal(err) // or refuse the call: queue.ErrClosed says that the service shuts down
	}
	op, err := q.Enqueue(context.Background(), operation.Play(uri), queue.ClientContext(uri))
	if err != nil {
		log.Fatal(err)
	}
	return op
}

// play is the media: the goodbye is short, and the news would last for ever.
func play(ctx context.Context, op queue.Active) (operation.Result, error) {
	if op.ClientContext() == "news.wav" {
		<-ctx.Done()
	}
	return operation.Result{}, op.Err()
}

// interrupt sends this program a signal.
func interrupt() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(os.Interrupt)
	}
	if err != nil {
		log.Fatal(err)
	}
}
