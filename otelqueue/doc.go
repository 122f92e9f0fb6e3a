// Package otelqueue shows in OpenTelemetry what happens in the queues of calls: a span of each
// operation, and metrics of all of them. It is a module of its own, and links OpenTelemetry's API
// alone; the SDK, and where things are exported to, are the platform's.
//
// # How to think of it
//
// An [Observer] is an observer like any other, and one serves all calls:
//
//	observer, err := otelqueue.New(
//		otelqueue.WithTracerProvider(tracers), otelqueue.WithMeterProvider(meters),
//		otelqueue.WithCalls(group.Len), otelqueue.WithHandler(handler),
//		otelqueue.WithNotifier(notifier),
//	)
//	shared := queue.Options(queue.WithObserver(handler), queue.WithObserver(observer))
//	q, err := group.New("call-1", media, shared)
//	tones.Handle(tone.All, observer.Tone)
//
// It is in no map of operations, and no call has anything of it: what it needs to know of an
// operation lies on the operation, attached to its context, until its last event was delivered.
// A call's tones are counted by a tone.Handler, which costs about 150 bytes for each call; where
// one is there already for all tones, let its function call [Observer.Tone] too.
//
// # Spans
//
// A span has the name of its operation's kind. It begins when the operation was accepted and
// ends when its media was through, with span events for started, ended (of what was preempted)
// and released. Its parent is the span in Enqueue's context: of the HTTP request, say, or of the
// call; else the one that [WithParent] finds. What the media does in the operation's context is
// below it, if it begins after the Accepted event was delivered, as it does unless the queue's
// observers block.
//
// What was preempted is linked to the span of the operation that did it: that of the one that
// barged in, or of the cancel, a span of one instant below the one in the context that CancelAll
// was given with queue.Context, as package graph does with that of the request. A Cancel of one
// operation, a CancelWhere and the end of the call are no operations: their attributes say what
// is known.
//
// The status is Error where the result's code is 500 and above, a fault of this side, with what
// operation.Detail makes public of the cause, and where media was abandoned; else it is unset, as
// HTTP's conventions have it for servers: a cancel or a caller who is silent is no fault.
//
// # Metrics
//
// docs/observability.md lists them, with units, and with alerts. Histograms are recorded when an
// operation has ended.
//
// # What is in neither
//
// No tone, no token, no client context or other part of a body, no address of a prompt, a
// recording or a callback. Attributes of metrics are kinds, of which there are at most
// [MaxKinds] and "_OTHER", and reasons, of which package operation has at most 255: series do
// not grow with calls. The spans of requests and their metrics are made by otelhttp; wrap the
// handler with it, and give it a server name with a port, since it takes both from the request's
// Host otherwise, where anybody may write anything:
//
//	http.Handle("/", otelhttp.NewHandler(handler, "HTTP",
//		otelhttp.WithServerName("media.example:443"),
//		otelhttp.WithPublicEndpointFn(func(*http.Request) bool { return true })))
//
// # Concurrency
//
// An Observer is safe for concurrent use. Queues call it on goroutines of theirs, with no lock
// held; it blocks only if a span processor does, and then holds up its own call's events alone.
// With processors that do not block, such as the SDK's batching one, it may be a queue's inline
// observer.
//
// # Errors
//
// Those of [New]. What code of others does that it has to ask, such as a request for its kind or
// a context for its span, it survives: the operation has a span without a parent, or the kind
// "_OTHER".
//
// # Cost
//
// With it an operation's life costs what the same span and measurements cost that are made by
// hand with the SDK, and at most a fifth more: BenchmarkObserver. An idle call costs nothing.
//
// # Examples
//
// In the repository examples/metrics prints what is counted of a call, and examples/ivr/service
// exposes it to Prometheus.
package otelqueue
