package otelqueue

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"ivrqueue/graph"
	"ivrqueue/internal/foreign"
	"ivrqueue/queue"
	"ivrqueue/webhook"
)

// Option configures an Observer. Of those of a kind the last counts; a wrong one is an error of
// New, wherever it stands.
type Option func(*config)

type config struct {
	tracers   trace.TracerProvider
	meters    metric.MeterProvider
	parent    func(*queue.Queue) context.Context
	liveCalls func() int
	handler   *graph.Handler
	notifier  *webhook.Notifier
}

// WithTracerProvider sets where spans go. Default, and for nil: the global one,
// otel.GetTracerProvider.
func WithTracerProvider(p trace.TracerProvider) Option {
	return func(c *config) { c.tracers = p }
}

// WithMeterProvider sets where metrics go. Default, and for nil: the global one,
// otel.GetMeterProvider.
func WithMeterProvider(p metric.MeterProvider) Option { return func(c *config) { c.meters = p } }

// WithParent sets where the span of an operation finds its parent when the context of Enqueue
// has no span: a function that returns a context with the span of the queue's call. It is called
// on the queue's goroutine for observers, once for each such operation, and may call everything
// of the queue that does not wait; one that panics, or returns nil, counts as none. Default:
// such spans have no parent.
func WithParent(f func(*queue.Queue) context.Context) Option {
	return func(c *config) { c.parent = f }
}

// WithCalls sets who counts the live calls, such as the method Len of a queue.Group: no event
// shows a call in which nothing has happened yet. It is asked with each collection of the
// metrics, on the reader's goroutine, which it must not block. If it panics there is no value.
// Default: the calls that are attached to the handler of [WithHandler]; without it no such
// metric.
func WithCalls(n func() int) Option { return func(c *config) { c.liveCalls = n } }

// WithHandler adds the notifications of a graph.Handler to the metrics. Default, and for nil:
// none.
func WithHandler(h *graph.Handler) Option { return func(c *config) { c.handler = h } }

// WithNotifier adds the attempts of a webhook.Notifier at deliveries. Default, and for nil: none.
func WithNotifier(n *webhook.Notifier) Option { return func(c *config) { c.notifier = n } }

// check refuses providers that hold a nil pointer, map, function, channel or slice: the first event
// would panic.
func (c *config) check() error {
	var errs []error
	for name, p := range map[string]any{
		"WithTracerProvider": c.tracers, "WithMeterProvider": c.meters,
	} {
		if p != nil && foreign.IsNil(p) {
			errs = append(errs, fmt.Errorf("otelqueue: %s: nil provider (%T)", name, p))
		}
	}
	return errors.Join(errs...)
}
