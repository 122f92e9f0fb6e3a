//go:build unix

package otelqueue_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"ivrqueue/operation"
	"ivrqueue/otelqueue"
	"ivrqueue/queue"
)

// maxCost is what the observer may cost besides what the SDK does for it.
const maxCost = 1.20

// atOnce is media that ends every operation inside Start.
type atOnce struct{}

func (atOnce) Start(t queue.Task) error {
	t.End(operation.Result{})
	return nil
}

func (atOnce) Stop(queue.Task) {}

// BenchmarkObserver measures, in turns, lives of operations without and with the observer, and
// the same spans and measurements made by hand: an operation's life may cost, with the observer,
// at most a life without one and 1.2 times what is made by hand. It fails otherwise, from 20
// rounds on.
func BenchmarkObserver(b *testing.B) {
	for _, test := range []struct {
		name   string
		meters metric.MeterProvider
	}{
		{"spans", noopmetric.NewMeterProvider()},
		{"spans and metrics", sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))},
	} {
		b.Run(test.name, func(b *testing.B) {
			tracers := trace.NewTracerProvider(trace.WithSpanProcessor(dropping{}))
			o, err := otelqueue.New(otelqueue.WithTracerProvider(tracers), otelqueue.WithMeterProvider(test.meters))
			if err != nil {
				b.Fatal(err)
			}
			defer o.Close()
			byHand := newByHand(b, tracers, test.meters)
			alone, observed := life(b, queue.ObserverFunc(func(queue.Event) {})), life(b, o)
			const enough = 20 // rounds
			var with, without, hand time.Duration
			for b.Loop() {
				with += spent(observed)
				without += spent(alone)
				hand += spent(byHand.span)
			}
			each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(b.N*perRound) }
			ratio := each(with-without) / each(hand)
			b.ReportMetric(ratio, "×by-hand")
			b.ReportMetric(each(hand), "ns/by-hand")
			b.ReportMetric(each(without), "ns/life")
			b.ReportMetric(each(with), "ns/observed-life")
			if b.N >= enough && ratio > maxCost {
				b.Errorf("the observer costs %.2f times what is made by hand, want at most %.2f", ratio, maxCost)
			}
		})
	}
}

// dropping is a span processor that costs nothing.
type dropping struct{}

func (dropping) OnStart(context.Context, trace.ReadWriteSpan) {}
func (dropping) OnEnd(trace.ReadOnlySpan)                     {}
func (dropping) Shutdown(context.Context) error               { return nil }
func (dropping) ForceFlush(context.Context) error             { return nil }

const perRound = 5000

// spent returns the processor time that many of one take, the garbage collector's included,
// whatever else the machine does.
func spent(f func()) time.Duration {
	before := processorTime()
	for range perRound {
		f()
	}
	return processorTime() - before
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// life returns a function that has one operation live and die on a goroutine.
func life(b *testing.B, o queue.Observer) func() {
	b.Helper()
	q, err := queue.New("call-1", atOnce{}, queue.WithInlineMedia(), queue.WithInlineObserver(o))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { q.Close(nil) })
	ctx := oteltrace.ContextWithSpanContext(context.Background(), oteltrace.NewSpanContext(oteltrace.SpanContextConfig{
		TraceID: oteltrace.TraceID{1}, SpanID: oteltrace.SpanID{1}, TraceFlags: oteltrace.FlagsSampled,
	}))
	request := play()
	return func() {
		if _, err := q.Enqueue(ctx, request); err != nil {
			b.Fatal(err)
		}
	}
}

// byHand makes the same span and the same measurements.
type byHand struct {
	tracer           oteltrace.Tracer
	ctx              context.Context
	wait, run        metric.Float64Histogram
	accepted, ended  metric.Int64Counter
	kind             attribute.KeyValue
	options          []metric.RecordOption
	acceptedAs, ends []metric.AddOption
	id               uuid.UUID
}

func newByHand(b *testing.B, tracers oteltrace.TracerProvider, meters metric.MeterProvider) *byHand {
	b.Helper()
	h := &byHand{tracer: tracers.Tracer("by hand"), kind: attribute.String("kind", "playPrompt"), id: uuid.New()}
	h.ctx = oteltrace.ContextWithSpanContext(context.Background(), oteltrace.NewSpanContext(oteltrace.SpanContextConfig{
		TraceID: oteltrace.TraceID{1}, SpanID: oteltrace.SpanID{1}, TraceFlags: oteltrace.FlagsSampled,
	}))
	meter := meters.Meter("by hand")
	var err error
	for _, f := range []func(){
		func() { h.wait, err = meter.Float64Histogram("wait") },
		func() { h.run, err = meter.Float64Histogram("run") },
		func() { h.accepted, err = meter.Int64Counter("accepted") },
		func() { h.ended, err = meter.Int64Counter("ended") },
	} {
		if f(); err != nil {
			b.Fatal(err)
		}
	}
	set := attribute.NewSet(h.kind)
	h.options = []metric.RecordOption{metric.WithAttributeSet(set)}
	h.acceptedAs = []metric.AddOption{metric.WithAttributeSet(set)}
	h.ends = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(h.kind, attribute.String("reason", "succeeded")))}
	return h
}

func (h *byHand) span() {
	accepted := time.Now()
	ctx, span := h.tracer.Start(h.ctx, "playPrompt", oteltrace.WithTimestamp(accepted), oteltrace.WithAttributes(
		attribute.String("call", "call-1"), attribute.String("id", h.id.String()), h.kind,
	))
	h.accepted.Add(ctx, 1, h.acceptedAs...)
	started := time.Now()
	h.wait.Record(ctx, started.Sub(accepted).Seconds(), h.options...)
	ended := time.Now()
	h.run.Record(ctx, ended.Sub(started).Seconds(), h.options...)
	h.ended.Add(ctx, 1, h.ends...)
	if span.IsRecording() {
		span.AddEvent("started", oteltrace.WithTimestamp(started))
		span.SetAttributes(attribute.String("reason", "succeeded"), attribute.Float64("position", 0),
			attribute.Int("code", 200), attribute.Int("subcode", 0))
	}
	span.End(oteltrace.WithTimestamp(ended))
}
