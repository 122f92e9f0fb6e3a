// Package tone is the key presses of a call: the 17 tones, sets of them, and a call's stream of
// tones with its subscriptions.
//
// # How to think of it
//
// A [Stream] lies beside a call's queue of operations, not in it: no path leads from a queue to a
// tone, so nothing that a queue does, or suffers, can hold a tone up. Whoever detects key presses
// publishes them. A [Subscription] is a place in the stream: it gets every tone published after it
// was made, in order, each once. It is pulled, by a loop or in a select, or handled, by a function
// that the stream calls.
//
// The stream keeps at most 256 tones for those who lag. Whoever lags more loses the oldest, and is
// told how many with the next.
//
// # Concurrency
//
// Everything is safe for concurrent use. [Stream.Publish] waits for nobody and runs nobody's code.
// Functions given to [Stream.Handle] run on goroutines of the stream's own, which exist only while
// there are tones to handle, one call at a time, with no lock held. Only [Subscription.Next] waits.
//
// # Errors
//
// [ErrEnded] once the call has ended and what was left was read, [ErrClosed] once the subscription
// was closed. Tones, names and characters that there are not are errors that say what there is.
//
// # Cost
//
// An idle stream is one small struct, which may be part of another. A tone published and taken by
// one subscription costs one clock reading, two short locks, and no allocation; see BenchmarkTone.
package tone
