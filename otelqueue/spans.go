package otelqueue

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// The attributes of spans. Where the semantic conventions have one, it is theirs; for telephone
// calls they have none.
const (
	callID        = attribute.Key("ivrqueue.call.id")
	operationID   = attribute.Key("ivrqueue.operation.id")
	operationKind = attribute.Key("ivrqueue.operation.kind")
	reason        = attribute.Key("ivrqueue.operation.reason")
	position      = attribute.Key("ivrqueue.operation.position") // seconds
	resultCode    = attribute.Key("ivrqueue.result.code")
	resultSubcode = attribute.Key("ivrqueue.result.subcode")
	causeID       = attribute.Key("ivrqueue.cause.id")
	causeKind     = attribute.Key("ivrqueue.cause.kind")
	causeToneSeq  = attribute.Key("ivrqueue.cause.tone_seq") // the number of a tone, never its value
)

// The events of spans.
const (
	eventStarted  = "started"
	eventEnded    = "ended" // of an operation whose media was not through
	eventReleased = "released"
)

// traced is what the observer needs to know of an operation: it is attached to it, as a context
// that has the operation's span, so that what the media does in the operation's context is below
// it.
type traced struct {
	context.Context //nolint:containedctx // for its values

	owner *Observer
	span  trace.Span
	kind  *kind
}

// Value returns the traced itself for its owner.
func (t *traced) Value(key any) any {
	if key == any(t.owner) {
		return t
	}
	return t.Context.Value(key)
}

// of returns what is attached to an operation, or nil. It asks the values of Enqueue's context,
// which are code of others, if nothing is.
func (o *Observer) of(op *operation.Operation) (t *traced) {
	defer func() { _ = recover() }()
	t, _ = op.Context().Value(o).(*traced) // which, unlike DetachedContext, costs no allocation
	return t
}

// begin begins the span of an operation, unless it has been: that of one that barges in begins
// with the first end that it causes.
func (o *Observer) begin(q *queue.Queue, op *operation.Operation) *traced {
	if t := o.of(op); t != nil {
		return t
	}
	t := &traced{owner: o, kind: o.kinds.of(op)}
	if !o.start(o.parentOf(q, op), t, q, op) {
		o.start(context.Background(), t, q, op)
	}
	if op.Attach(t) != nil { // the context of Enqueue panicked, which is below it
		t.Context = trace.ContextWithSpan(context.Background(), t.span)
		_ = op.Attach(t)
	}
	return t
}

// start starts a span. It reports whether the context of its parent, which is code of others, did
// not panic.
func (o *Observer) start(
	parent context.Context, t *traced, q *queue.Queue, op *operation.Operation,
) (ok bool) {
	defer func() { ok = recover() == nil }()
	id := op.ID()
	t.Context, t.span = o.tracer.Start(parent, t.kind.name,
		trace.WithTimestamp(op.Times().Accepted),
		trace.WithAttributes(
			callID.String(q.CallID()), operationID.String(id.String()), t.kind.attribute,
		))
	return true
}

// parentOf returns a context with the span that is above an operation's.
func (o *Observer) parentOf(q *queue.Queue, op *operation.Operation) (parent context.Context) {
	defer func() {
		if recover() != nil { // the context of Enqueue, or the function, is code of others
			parent = context.Background()
		}
	}()
	parent = op.DetachedContext()
	if o.config.parent == nil || trace.SpanContextFromContext(parent).IsValid() {
		return parent
	}
	if call := o.config.parent(q); call != nil {
		return trace.ContextWithSpan(parent, trace.SpanFromContext(call))
	}
	return parent
}

// endSpan records in the span how its operation ended, and ends it if the media is through with it.
func (o *Observer) endSpan(
	e queue.Event, t *traced, r *operation.Result, started time.Time,
) {
	preempted := e.Operation.Preempted()
	if t.span.IsRecording() {
		if !started.IsZero() {
			t.span.AddEvent(eventStarted, trace.WithTimestamp(started))
		}
		if preempted {
			t.span.AddEvent(eventEnded, trace.WithTimestamp(e.Time))
		}
		o.describeEnd(e, t.span, r)
	}
	if !preempted {
		t.span.End(trace.WithTimestamp(e.Time))
	}
}

// describeEnd sets what a result says, and who caused it.
func (o *Observer) describeEnd(e queue.Event, span trace.Span, r *operation.Result) {
	span.SetAttributes(endOf(r.Reason).span...)
	if r.Position > 0 {
		span.SetAttributes(position.Float64(r.Position.Seconds()))
	}
	if failedHere(r.Reason) {
		span.SetStatus(codes.Error, operation.Detail(r.Err))
	}
	if cause, ok := e.Cause(); ok {
		span.SetAttributes(attributesOf(cause)...)
	}
	if by := e.By(); by != nil {
		span.AddLink(trace.Link{SpanContext: o.causeOf(e, by)})
	}
}

// attributesOf says who caused an end: an operation, or a key, of which only the number is shown.
func attributesOf(c operation.Cause) []attribute.KeyValue {
	if c.Tone != 0 {
		return []attribute.KeyValue{causeToneSeq.Int64(int64(c.ToneSeq))} //nolint:gosec // never so many
	}
	return []attribute.KeyValue{causeKind.String(string(c.Kind)), causeID.String(c.ID.String())}
}

// causeOf returns the span of the operation that caused an end. A cancel's own has no events: its
// span, of one instant, begins and ends with the first end that it causes.
func (o *Observer) causeOf(e queue.Event, by *operation.Operation) trace.SpanContext {
	if t := o.of(by); t != nil {
		return t.span.SpanContext()
	}
	t := o.begin(e.Queue, by)
	if by.Status().Terminal() && by.Kind() == operation.KindCancelMediaProcessing {
		t.span.End(trace.WithTimestamp(by.Times().Ended))
	}
	return t.span.SpanContext()
}

// endReleased ends the span of a preempted operation, now that its media is through.
func endReleased(e queue.Event, t *traced) {
	if t.span.IsRecording() {
		r := e.Result()
		t.span.AddEvent(eventReleased, trace.WithTimestamp(e.Time), trace.WithAttributes(
			endOf(r.Reason).metrics[0], position.Float64(r.Position.Seconds())))
		if r.Reason == operation.Abandoned {
			t.span.SetAttributes(semconv.ErrorTypeKey.String(r.Reason.String()))
			t.span.SetStatus(codes.Error, "")
		}
	}
	t.span.End(trace.WithTimestamp(e.Time))
}

// end is what spans and metrics say of a reason, made once.
type end struct{ span, metrics []attribute.KeyValue }

// ends are the reasons that were seen, which package operation has at most 255 of.
var ends [1 << 8]atomic.Pointer[end]

func endOf(r operation.Reason) *end {
	if known := ends[r].Load(); known != nil {
		return known
	}
	name := reason.String(r.String())
	e := &end{
		span:    []attribute.KeyValue{name, resultCode.Int(r.Code()), resultSubcode.Int(r.Subcode())},
		metrics: []attribute.KeyValue{name},
	}
	if failedHere(r) {
		failure := semconv.ErrorTypeKey.String(r.String())
		e.span, e.metrics = append(e.span, failure), append(e.metrics, failure)
	}
	ends[r].Store(e)
	return e
}

// failedHere reports whether a reason is a fault of this side. As the semantic conventions have
// it for HTTP servers, that is 500 and above: a cancel, a caller who is silent, and a prompt
// that is no WAV file are 400, and leave the span's status unset.
func failedHere(r operation.Reason) bool { return r.Code() >= http.StatusInternalServerError }
