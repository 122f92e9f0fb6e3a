// Package queue is one call's queue of media operations: they run one at a time, in the order in
// which they were accepted, and everything that runs or waits can be ended at one instant.
//
// # How to think of it
//
// A platform makes one [Queue] per call and brings the [Media] that plays and records. Producers
// [Queue.Enqueue] requests and get operations to hold; observers get every event, in order.
// [Queue.CancelAll] fails everything live with 400/8508 at one instant, for every reader, and
// returns a receipt that names what it ended.
//
// The queue decides under its one mutex, and acts after it. An operation begins when the media is
// free; the media is free when it has reported the end of the last operation and has returned from
// its callbacks. An operation that is preempted (ended by a cancel, a barge-in, a timeout or the
// end of the call while the media has it) is failed at once; its media gets [Media.Stop] and some
// time to fall silent, and the Released event follows.
//
// A [Group] holds the queues of many calls by their ids, and shuts them down together.
//
// Beside the queue lies the call's tone stream, package tone. There is no way from here to there.
//
// # Concurrency
//
// All methods are safe for concurrent use. Only [Queue.Shutdown], [Group.Drain] and
// [Group.Shutdown] wait, and whoever receives from a Done channel. By default a dispatcher, a
// goroutine of the queue's own that exists only while there is something to call, makes all
// callbacks (media, observers, logger), one at a time: they may block, panic, exit their
// goroutine, take any lock, and call back into the queue. While one
// takes longer than a millisecond or two, another dispatcher goes on with the others.
// [WithInlineMedia] and [WithInlineObserver] make callbacks on the goroutine that changed the
// state: the fastest form, for callbacks that return at once, take no lock that a caller of the
// queue may hold, and do not exit. At most 256 calls in a row are made on a goroutine that is not
// the queue's.
//
// The methods of errors, contexts and requests are code of others as well. They are called where
// they were given, without a lock, so one that blocks delays only the caller that brought it, and
// one that panics, as a typed nil does, is an error or a failure like another. No cause of an end
// panics later: one that would is replaced when it is reported.
//
// In a testing/synctest bubble a queue keeps to the bubble's time. Make it in the bubble that uses
// it.
//
// # Errors
//
// [ErrClosed], [ErrFull], [ErrNotFound], [ErrDuplicateID] and [ErrKeyReused] are matched with
// errors.Is. All others name what is wrong, its value and its limit. A request, a client context,
// an idempotency key and a cause may be a client's: those errors are an [operation.FieldError] for
// errors.As, and package graph shows them to the client. Options such as [WithMaxPending] and
// [StopTimeout] are the platform's own, and no error of them is one. With an error nothing has
// changed. What went wrong with an operation that was accepted is [operation.Operation.Err] of it.
//
// # Cost
//
// One operation costs one allocation in the inline form, beyond the caller's request. An idle call
// holds neither goroutine nor timer, and 320 bytes with its tone stream. A group adds about 100
// bytes to each of its calls, and none to others. Cancelling costs no allocation per operation.
// BenchmarkRoundTrip and BenchmarkCancelAll of bench measure it.
//
// # Examples
//
// Programs to copy, one for each task: examples/hello to begin with; examples/bargein,
// examples/holdmusic and examples/pinmenu for dialogs; examples/voicemail for recordings;
// examples/speech for a kind of one's own; examples/shutdown for a service; examples/adapters for
// media on back ends of three forms.
package queue
