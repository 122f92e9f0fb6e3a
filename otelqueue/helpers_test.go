package otelqueue_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"ivrqueue/operation"
	"ivrqueue/otelqueue"
	"ivrqueue/queue"
)

// watched is an observer, and what it has exported.
type watched struct {
	*otelqueue.Observer

	tb     testing.TB
	spans  *tracetest.InMemoryExporter
	tracer *trace.TracerProvider
	reader *metric.ManualReader
}

func watch(tb testing.TB, opts ...otelqueue.Option) *watched {
	tb.Helper()
	w := &watched{tb: tb, spans: tracetest.NewInMemoryExporter(), reader: metric.NewManualReader()}
	w.tracer = trace.NewTracerProvider(trace.WithSyncer(w.spans), trace.WithIDGenerator(new(counting)))
	meters := metric.NewMeterProvider(metric.WithReader(w.reader))
	var err error
	w.Observer, err = otelqueue.New(append([]otelqueue.Option{
		otelqueue.WithTracerProvider(w.tracer), otelqueue.WithMeterProvider(meters),
	}, opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := w.Close(); err != nil {
			tb.Error(err)
		}
		_ = w.tracer.Shutdown(context.Background())
		_ = meters.Shutdown(context.Background())
	})
	return w
}

// metrics collects what there is.
func (w *watched) metrics() (all []metricdata.Metrics) {
	w.tb.Helper()
	var collected metricdata.ResourceMetrics
	if err := w.reader.Collect(context.Background(), &collected); err != nil {
		w.tb.Fatal(err)
	}
	for _, scope := range collected.ScopeMetrics {
		all = append(all, scope.Metrics...)
	}
	return all
}

// queue makes a queue that is observed.
func (w *watched) queue(callID string, m queue.Media, opts ...queue.Option) *queue.Queue {
	w.tb.Helper()
	q, err := queue.New(callID, m, append([]queue.Option{queue.WithObserver(w)}, opts...)...)
	if err != nil {
		w.tb.Fatal(err)
	}
	w.tb.Cleanup(func() { q.Close(nil) })
	return q
}

func play() *operation.PlayPrompt {
	return &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "file:hello.wav"}}}
}
