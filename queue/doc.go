// Package queue is one call's queue of media operations: they run one at a time, in the order in
// which they were accepted, and everything that runs or waits can be ended at one instant.
//
// # How to think of it
//
// A platform makes one [Queue] per call and brings the [Media] that plays and records. Producers
// [Queue.Enqueue] requests and get operations to hold; observers get every event, in order.
// [Queue.CancelAll] fails everything live with 400/8508 at one instant, for every reader, and
// returns a receipt of whom it ended.
//
// The queue decides under its one mutex, and acts after it. An operation begins when the media is
// free; the media is free when it has reported the end of the last operation and has returned from
// its callbacks. An operation that is preempted (ended while it runs, by a cancel, a barge-in, a timeout or
// the end of the call) is failed at once; its media gets [Media.Stop] and some time to fall silent, and
// the Released event says when it has.
//
// Beside the queue lies the call's tone stream, package tone. There is no way from here to there.
//
// # Concurrency
//
// All methods are safe for concurrent use. Only [Queue.Shutdown] waits, and whoever receives from a
// Done channel. By default callbacks (media, observers, logger, in any mixture) run on goroutines
// of the queue's own that exist only while there is something to tell: they may block, panic, exit
// their goroutine, take any lock, and call back into the queue. [WithInlineMedia] and
// [WithInlineObserver] have them run on the goroutine that changed the state: the fastest form,
// for callbacks that return at once, take no lock that a caller of the queue may hold, and do not
// exit. With many events to tell at most 256 calls are made on a goroutine that is not the queue's.
//
// The methods of errors, contexts and requests are code of others as well. They are called where
// they were given, without a lock, so one that blocks holds up nobody but whoever brought it, and
// one that panics, as a typed nil does, is an error or a failure like another.
//
// # Errors
//
// [ErrClosed], [ErrFull], [ErrNotFound] and [ErrDuplicateID] are matched with errors.Is. Bad
// requests are errors that name the field, its value and its limit. With an error nothing has
// changed. What went wrong with an operation that was accepted is [operation.Operation.Err] of it.
//
// # Cost
//
// One operation costs one allocation in the inline form, beyond the caller's request. An idle call
// holds neither goroutine nor timer, and a few hundred bytes. Cancelling costs no allocation per
// operation. BenchmarkLife and BenchmarkCancelAll measure it.
package queue
