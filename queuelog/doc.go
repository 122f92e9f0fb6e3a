// Package queuelog logs the operations of calls with log/slog: one line for each, when it has
// ended and its media is through.
//
// # How to think of it
//
// An [Observer] is an observer like any other. One serves all calls:
//
//	lines, err := queuelog.New(logger)
//	q, err := queue.New("call-1", media, queue.WithObserver(lines))
//
// A line names the call, the operation and its kind, why it ended, how long it waited and ran,
// how far its media came, and who ended it; of one that was preempted also how long its media
// took to fall silent:
//
//	level=INFO msg="operation ended" call=call-1 operation=… kind=playPrompt reason=cancelled
//	code=400 subcode=8508 waited=0s ran=1.2s position=1.18s cause.kind=cancelMediaProcessing
//	cause.id=… silent=18ms
//
// It has no tone, no client context, no address of a prompt or recording, no token, and of an
// error only what [operation.Detail] makes public, unless [WithErrors] is given.
//
// # Concurrency
//
// An Observer is safe for concurrent use, and holds nothing of a call. The logger's handler is
// called on the goroutine that the queue has for its observers, with no lock held. One that
// blocks delays the lines of its own call, and in the end that call's acceptance of operations
// (queue.ErrFull), and nothing else; one that panics loses its line, and the queue's own logger
// reports it.
//
// # Errors
//
// Those of [New], which name the option, its value and its limit.
//
// # Examples
//
// In the repository examples/ivr/service logs the operations of all its calls.
package queuelog
