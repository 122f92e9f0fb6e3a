package otelqueue

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// metrics are what the observer counts. Counters are atomic words that are read when the metrics
// are collected: to add to a counter of the SDK costs as much as a quarter of a span. Histograms
// have no such form.
type metrics struct {
	wait, run, silence metric.Float64Histogram

	late             atomic.Int64
	tones, tonesLost atomic.Int64
	registration     metric.Registration
	observed         instruments
}

// instruments are read when the metrics are collected.
type instruments struct {
	accepted, ended, abandoned, late metric.Int64ObservableCounter
	tones, tonesLost                 metric.Int64ObservableCounter
	delivered, givenUp               metric.Int64ObservableCounter
	attempts, retries                metric.Int64ObservableCounter
	pending, calls, notifying        metric.Int64ObservableUpDownCounter
}

// The bounds of the histograms, in seconds. What a caller waits for, or hears on, is short; a
// play may take as long as its prompts.
var (
	shortBounds = []float64{
		.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60,
	}
	longBounds = []float64{.1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600}
)

// init makes the instruments.
func (m *metrics) init(o *Observer) error {
	meter := o.config.meters.Meter(scope)
	var errs []error
	histogram := func(name, what string, bounds []float64) metric.Float64Histogram {
		h, err := meter.Float64Histogram("ivrqueue."+name, metric.WithUnit("s"),
			metric.WithDescription(what), metric.WithExplicitBucketBoundaries(bounds...))
		errs = append(errs, err)
		return h
	}
	var used []metric.Observable
	counter := func(name, unit, what string) metric.Int64ObservableCounter {
		c, err := meter.Int64ObservableCounter("ivrqueue."+name, metric.WithUnit("{"+unit+"}"),
			metric.WithDescription(what))
		errs, used = append(errs, err), append(used, c)
		return c
	}
	level := func(name, unit, what string) metric.Int64ObservableUpDownCounter {
		c, err := meter.Int64ObservableUpDownCounter("ivrqueue."+name, metric.WithUnit("{"+unit+"}"),
			metric.WithDescription(what))
		errs, used = append(errs, err), append(used, c)
		return c
	}
	m.wait = histogram("operation.wait.duration",
		"How long operations that have ended had waited from their acceptance to their start.",
		shortBounds)
	m.run = histogram("operation.run.duration",
		"How long operations ran from their start to their end.", longBounds)
	m.silence = histogram("media.silence.duration",
		"How long media took from the end of a preempted operation to its report.", shortBounds)
	i := &m.observed
	i.accepted = counter("operations.accepted", "operation", "Operations that were accepted.")
	i.ended = counter("operations.ended", "operation", "Operations that ended, by reason.")
	i.pending = level("operations.pending", "operation", "Operations that wait or run.")
	i.abandoned = counter("media.abandoned", "operation",
		"Preempted operations whose media did not report within the stop timeout.")
	i.late = counter("media.late", "operation", "Operations whose abandoned media reported after all.")
	i.tones = counter("tones.published", "tone", "Tones that were published.")
	i.tonesLost = counter("tones.lost", "tone", "Tones that were lost because who counts them lagged.")
	if o.config.liveCalls != nil || o.config.handler != nil {
		i.calls = level("calls.live", "call", "Calls that live.")
	}
	if o.config.handler != nil {
		i.delivered = counter("notifications.delivered", "notification", "Notifications that arrived.")
		i.givenUp = counter("notifications.given_up", "notification",
			"Notifications that could not be delivered.")
		i.notifying = level("calls.notifying", "call", "Calls with notifications on the way.")
	}
	if o.config.notifier != nil {
		i.attempts = counter("delivery.attempts", "attempt", "Requests to callbacks.")
		i.retries = counter("delivery.retries", "attempt", "Requests to callbacks after the first one.")
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	var err error
	m.registration, err = meter.RegisterCallback(o.collect, used...)
	return err
}

// collect gives the meter what was counted.
func (o *Observer) collect(_ context.Context, to metric.Observer) error {
	m := &o.metrics
	i := &m.observed
	for _, k := range o.kinds.list() {
		k.collect(i, to)
	}
	to.ObserveInt64(i.late, m.late.Load())
	lost := m.tonesLost.Load() // first, so that there are no more of them than were published
	to.ObserveInt64(i.tones, m.tones.Load())
	to.ObserveInt64(i.tonesLost, lost)
	if n, ok := o.countCalls(); ok {
		to.ObserveInt64(i.calls, int64(n))
	}
	if h := o.config.handler; h != nil {
		s := h.Stats()
		to.ObserveInt64(i.delivered, int64(s.Delivered)) //nolint:gosec // here and below: never so many
		to.ObserveInt64(i.givenUp, int64(s.GivenUp))     //nolint:gosec // likewise
		to.ObserveInt64(i.notifying, int64(s.Pending))
	}
	if n := o.config.notifier; n != nil {
		s := n.Stats()
		to.ObserveInt64(i.attempts, int64(s.Attempts)) //nolint:gosec // likewise
		to.ObserveInt64(i.retries, int64(s.Retries))   //nolint:gosec // likewise
	}
	return nil
}

// countCalls asks who counts the calls, and reports whether there is a count.
func (o *Observer) countCalls() (n int, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	switch {
	case o.config.liveCalls != nil:
		return o.config.liveCalls(), true
	case o.config.handler != nil:
		return o.config.handler.Stats().Calls, true
	default:
		return 0, false
	}
}

// collect gives the meter what was counted of one kind, if there was anything.
func (k *kind) collect(i *instruments, to metric.Observer) {
	// Ends first: an operation that ends meanwhile is pending, and never less than none are.
	var ended int64
	for r := range k.ended {
		n := k.ended[r].Load()
		if n == 0 {
			continue
		}
		ended += n
		why := operation.Reason(r) //nolint:gosec // 0 to 255
		to.ObserveInt64(i.ended, n, metric.WithAttributeSet(k.endedAs(why)))
	}
	accepted := k.accepted.Load()
	if accepted == 0 {
		return
	}
	kind := metric.WithAttributeSet(attribute.NewSet(k.attribute))
	to.ObserveInt64(i.accepted, accepted, kind)
	to.ObserveInt64(i.pending, accepted-ended, kind)
	to.ObserveInt64(i.abandoned, k.abandoned.Load(), kind)
}

// endedAs returns the attributes of the operations of a kind that ended for a reason.
func (k *kind) endedAs(r operation.Reason) attribute.Set {
	return attribute.NewSet(append(slices.Clip(endOf(r).metrics), k.attribute)...)
}

func (o *Observer) accepted(e queue.Event) {
	t := o.begin(e.Queue, e.Operation)
	t.kind.accepted.Add(1)
}

func (o *Observer) ended(e queue.Event) {
	t := o.of(e.Operation)
	if t == nil {
		return // it was accepted before the observer was there
	}
	r := e.Result()
	t.kind.ended[r.Reason].Add(1)
	times := e.Operation.Times()
	if !times.Started.IsZero() {
		o.metrics.wait.Record(t, times.Started.Sub(times.Accepted).Seconds(), t.kind.options...)
		o.metrics.run.Record(t, e.Time.Sub(times.Started).Seconds(), t.kind.options...)
	}
	o.endSpan(e, t, &r, times.Started)
}

func (o *Observer) released(e queue.Event) {
	t := o.of(e.Operation)
	if t == nil {
		return
	}
	if e.Result().Reason == operation.Abandoned {
		t.kind.abandoned.Add(1)
	} else {
		silent := e.Time.Sub(e.Operation.Times().Ended)
		o.metrics.silence.Record(t, silent.Seconds(), t.kind.options...)
	}
	endReleased(e, t)
}

// Tone counts a tone, and those that were lost before it, of which it hands nothing on. It does
// not block: hand it to each call's tone stream, alone or with what else gets all tones there.
//
//	stream.Handle(tone.All, func(e tone.Event) {
//		observer.Tone(e)
//		q.Tone(e)
//	})
func (o *Observer) Tone(e tone.Event) {
	lost := int64(e.Lost) //nolint:gosec // at most as many as were published
	o.metrics.tones.Add(1 + lost)
	if lost > 0 {
		o.metrics.tonesLost.Add(lost)
	}
}
