package otelqueue_test

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"ivrqueue/otelqueue"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
)

// One observer serves all calls; what barges in is linked from what it has ended.
func Example() {
	spans := tracetest.NewInMemoryExporter() // in a service: one that exports in batches
	tracers := trace.NewTracerProvider(trace.WithSyncer(spans))
	meters := metric.NewMeterProvider(metric.WithReader(metric.NewManualReader()))
	group := new(queue.Group)
	observer, err := otelqueue.New(otelqueue.WithTracerProvider(tracers),
		otelqueue.WithMeterProvider(meters), otelqueue.WithCalls(group.Len))
	if err != nil {
		panic(err)
	}
	defer observer.Close()

	q, err := group.New("call-1", new(queuetest.Media), queue.WithObserver(observer))
	if err != nil {
		panic(err)
	}
	tones := new(tone.Stream)
	if _, err := tones.Handle(tone.All, observer.Tone); err != nil {
		panic(err)
	}
	ctx, call := tracers.Tracer("platform").Start(context.Background(), "call")
	if _, err := q.Enqueue(ctx, play()); err != nil {
		panic(err)
	}
	q.CancelAll(queue.Context(ctx))
	tones.End()
	q.Close(nil)
	<-q.Done()
	call.End()
	for _, s := range spans.GetSpans() {
		fmt.Println(s.Name, len(s.Links))
	}
	// Output:
	// cancelMediaProcessing 0
	// playPrompt 1
	// call 0
}
