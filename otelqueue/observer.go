package otelqueue

import (
	"errors"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"ivrqueue/queue"
)

// scope names this package as the source of its spans and metrics.
const scope = "ivrqueue/otelqueue"

// Observer makes a span of each operation, and counts what happens, in OpenTelemetry. One serves
// all calls: give it to each queue, once, with queue.WithObserver in options that all of them
// share. New makes it, Close ends it. It must not be copied, and is safe for concurrent use. It
// holds nothing of a call, and of an operation only what lies on it, until its last event was
// delivered.
type Observer struct {
	config  config
	tracer  trace.Tracer
	metrics metrics
	kinds   kinds

	closing sync.Once
}

var _ queue.Observer = (*Observer)(nil)

// New makes an observer. It is an error if a provider is a nil pointer, and if the meter refuses
// an instrument: nothing is left then.
func New(opts ...Option) (*Observer, error) {
	o := new(Observer)
	for _, option := range opts {
		if option != nil {
			option(&o.config)
		}
		if err := o.config.check(); err != nil {
			return nil, err
		}
	}
	if o.config.tracers == nil {
		o.config.tracers = otel.GetTracerProvider()
	}
	if o.config.meters == nil {
		o.config.meters = otel.GetMeterProvider()
	}
	o.tracer = o.config.tracers.Tracer(scope)
	o.kinds.init()
	if err := o.metrics.init(o); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return o, nil
}

// Close takes the observer's counters from its meter, so that a provider that lives on does not
// keep it. The queues' events are still observed. To close it again does nothing.
func (o *Observer) Close() (err error) {
	o.closing.Do(func() {
		if o.metrics.registration != nil {
			err = o.metrics.registration.Unregister()
		}
	})
	return err
}

// Observe is for queues to call. It blocks as long as the span processors of the tracer provider
// do: those that export in batches don't.
func (o *Observer) Observe(e queue.Event) {
	switch e.Kind {
	case queue.Accepted:
		o.accepted(e)
	case queue.Ended:
		o.ended(e)
	case queue.Released:
		o.released(e)
	case queue.Late:
		o.metrics.late.Add(1)
	case queue.Started, queue.Closed: // the end has the time of the start
	}
}
