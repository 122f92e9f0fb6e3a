// Package tone is the key presses of a call: the 17 tones, sets of them, a call's stream of tones
// with its subscriptions, and the digits that are collected from these.
//
// # How to think of it
//
// A [Stream] lies beside a call's queue of operations, not in it: no path leads from a queue to a
// tone, so nothing that a queue does, or suffers, can hold a tone up. Whoever detects key presses
// publishes them. A [Subscription] is a place in the stream: it gets every tone published after it
// was made, in order, each once. It is pulled, by a loop or in a select, or handled, by a function
// that the stream calls.
//
// The stream keeps at most 256 tones for those who lag. Whoever lags more loses the oldest, and
// gets their number with the next.
//
// [Subscription.Collect] reads from a subscription what a caller enters: so many digits, up to a
// stop tone, what a [Pattern] matches, each with its timeouts. It decides by the times at which
// tones were published, so a result does not depend on how busy the machine is.
//
// # Concurrency
//
// Everything is safe for concurrent use. [Stream.Publish] does not wait, and runs no code of
// others. Functions given to [Stream.Handle] run on goroutines of the stream's own, which exist
// only while there are tones to handle, one call at a time, with no lock held. Only
// [Subscription.Next] and [Subscription.Collect] wait.
//
// # Errors
//
// [ErrEnded] once the call has ended and what was left was read, [ErrClosed] once the subscription
// was closed, [ErrCollecting] while another Collect reads from it. Parsing an unknown tone returns
// an error that lists the valid ones; an option that is not valid, one that names it and its limit.
//
// # Cost
//
// An idle stream is one small struct, which may be part of another. A tone published and taken by
// one subscription costs one clock reading, two short locks, and no allocation; see BenchmarkTone.
// A collection costs one timer while it waits, and some five allocations; see BenchmarkCollect.
//
// # Examples
//
// In the repository examples/bargein ends a play by a key, and examples/pinmenu collects a PIN,
// with what is typed ahead and three tries.
package tone
