// Package operation says what a media operation of an IVR call is: what may be asked for
// (requests), how its life goes (the lifecycle), and how it ended (reasons and results).
//
// # How to think of it
//
// An [Operation] is a receipt that keeps itself current. Whoever enqueued it, observes it or shows
// it on the wire holds the same pointer and may read it at any time from any goroutine; nobody who
// reads it can change it. Only the queue that made it, and the media it was handed to, can write:
// they hold the other side of the same allocation, its [Control]. The pointer is the identity:
// operations are never copied and never reused.
//
// A life has four states and three events. It is declared once, with looplab/fsm, in [NewMachine],
// and compiled into the table that [Status.After] reads:
//
//	notStarted --start--> running --complete--> completed
//	notStarted, running --fail--> failed
//
// Every end has one [Reason]. A reason is one row of the table of results: status, code, subcode
// and message as Microsoft Graph has them, and an error for [errors.Is]. A platform adds reasons
// of its own with [RegisterReason].
//
// # Concurrency
//
// All methods of [Operation] are safe for concurrent use and none waits, save [Operation.Wait].
// They agree with each other: once [Operation.Status] is terminal, [Operation.Result],
// [Operation.Err] and [Operation.Times] show the end, and never change again. Operations that one
// CancelAll ended become failed at one instant for every reader, however many they are.
//
// # Errors
//
// Validation errors are [*FieldError] and name the field, the value and the limit: what is wrong
// may be a client's fault, and package graph answers 400 with them. An illegal lifecycle move is a
// [*TransitionError]. [Operation.Err] is an [*Error] that unwraps to the reason and to the cause.
//
// # Cost
//
// Reading a status is one or two atomic loads. Done channels and contexts are made only when asked
// for. BenchmarkStatus and BenchmarkLife measure both.
//
// # Examples
//
// In the repository examples/hello reads results, examples/bargein who ended an operation,
// examples/voicemail a recording that was cut short, and examples/speech has a request of its own.
package operation
