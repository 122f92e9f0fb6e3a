// Package hand is the queue that a good engineer writes by hand: a goroutine for each call that
// waits on a channel, grown to what a queue of media operations must do, which is ids, states,
// times, events in order, and a cancel of everything at one instant with a receipt. The budgets of
// ivrqueue are ratios to it.
//
// What runs is a function, on the call's goroutine, which calls the observer as well; so there is
// one goroutine, no hand-over between two, and two critical sections for an operation beside that
// of its producer. The price is that an observer that blocks holds up the call, though never a
// producer or a cancel.
//
// # Concurrency
//
// One mutex guards a queue and all its operations, their readers included: that makes a cancel
// atomic.
//
// # Errors
//
// [ErrClosed] and [ErrFull].
//
// # Cost
//
// A goroutine for each call, idle or not.
package hand
