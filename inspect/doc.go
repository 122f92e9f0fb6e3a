// Package inspect shows the calls of a platform in a browser, live: what waits in each, what runs,
// how it ended and why, with cancels, keys and notifications on one timeline. It is mounted as
// net/http/pprof is.
//
// # How to think of it
//
// A [Handler] is one recorder for all calls. It is an observer of their queues; the keys and
// the labels of a call, which a queue does not have, come by [Handler.Attach], and a Notifier's
// attempts by [Handler.Attempt]. Of each call it keeps the last few things that happened. Whoever
// opens the page gets these, and then what changes, by server-sent events.
//
//	queue.Queue ── events ──┐
//	tone.Stream ── keys ────┼──> Handler ── page, events ──> browser
//	webhook.Notifier ───────┘
//
// # Who may see it
//
// The handler authenticates nobody: whoever mounts it puts a guard before it, and may say with
// [WithOwner] whose calls a request sees. It only reads: nothing that it serves changes a call. It
// answers GET and HEAD, at its path and at events below it, and nothing else. The page is one file
// without anything from elsewhere, under a policy that allows no script but its own; all that
// others have said is shown as text.
//
// Not shown, nor kept: which keys were pressed, unless [WithKeyValues] asks for them; tones that
// are sent; of a prompt's address what comes before its last part, and its query; the address, the
// body and the errors of a notification; recordings and their tokens; of a failure's cause what
// [operation.Detail] does not show the bot.
//
// # Concurrency
//
// Everything is safe for concurrent use, and nothing waits but a stream for its client. Nothing is
// queued for a client: an event has what has changed since the last one, so who is slow gets fewer
// of them, and who takes none for 5 s is dropped. No call waits for a client.
//
// # Errors
//
// [ErrFull] and [ErrClosed] are matched with errors.Is; a label that is wrong is an
// *operation.FieldError. A request gets 404 for what is not there, also for a call that is not its
// owner's, 405 for another method, 403 for a stream that another site's page asks for, and 503 when
// as many streams are open as may be.
//
// # Cost
//
// A call that nobody looks at holds no goroutine and no timer. It costs less than 1 KB, 360 bytes
// for each of the last [DefaultMaxOperations] operations, 140 for each of twice as many keys,
// cancels and notes, and up to 560 for each of as many deliveries, each with its texts, which are
// short. The three events of an operation's life take some 0.7 µs on the observer's goroutine
// (BenchmarkObserve), and no allocation once there are as many operations as are kept. A key costs
// a goroutine, as with every handler of a tone stream. The calls that live, and those that have
// ended and are still shown, are bounded: see [WithMaxCalls] and [WithRetention]. One that has
// ended keeps neither its queue nor anything else of the platform's alive.
//
// While somebody looks: a list is looked through 4 times in a second, and a call 10 times, which
// takes the queue's lock for a moment.
//
// # Examples
//
// In the repository examples/ivr shows its call live, and examples/ivr/service mounts the page
// beside the API of its bots.
package inspect
