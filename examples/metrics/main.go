// Command metrics counts the operations of all calls with OpenTelemetry: one observer, given to
// each queue. It makes a span of each operation too, if it is given a tracer provider.
//
//	go run ./examples/metrics
//
// It prints what a dashboard would have, of durations how many there are:
//
//	ivrqueue.media.silence.duration playPrompt: 1
//	ivrqueue.operation.run.duration playPrompt: 1
//	ivrqueue.operation.run.duration recordResponse: 1
//	ivrqueue.operation.wait.duration playPrompt: 1
//	ivrqueue.operation.wait.duration recordResponse: 1
//	ivrqueue.operations.accepted playPrompt: 2
//	ivrqueue.operations.accepted recordResponse: 1
//	ivrqueue.operations.ended playPrompt cancelled: 2
//	ivrqueue.operations.ended recordResponse succeeded: 1
package main

import (
	"context"
	"log"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"ivrqueue/operation"
	"ivrqueue/otelqueue"
	"ivrqueue/queue"
)

func main() {
	ctx := context.Background()
	reader := sdkmetric.NewManualReader() // yours exports them, to Prometheus say
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))

	observer, err := otelqueue.New(otelqueue.WithMeterProvider(meters)) // one for all calls
	if err != nil {
		log.Fatal(err)
	}

	line := make(line)
	q, err := queue.New("call-1", queue.Blocking(line.serve), queue.WithObserver(observer))
	if err != nil {
		log.Fatal(err)
	}
	welcome := operation.Play("file:welcome.wav")
	music := &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "file:music.wav"}}, Loop: true}
	for _, r := range []operation.Request{music, welcome} {
		if _, err := q.Enqueue(ctx, r); err != nil {
			log.Fatal(err)
		}
	}
	<-line // the caller hears the music; the welcome waits
	q.CancelAll()
	record, err := q.Enqueue(ctx, &operation.RecordResponse{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := record.Wait(ctx); err != nil {
		log.Fatal(err)
	}
	q.Close(operation.CallEnded)
	<-q.Done() // the observer got every event

	if err := show(ctx, reader); err != nil {
		log.Fatal(err)
	}
	if err := meters.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
}
