// Package graph is the Microsoft Graph wire of a media platform: the HTTP API by which bots play,
// record, cancel and subscribe to tones, and the notifications by which they hear what came of it.
//
// # How to think of it
//
// A [Handler] is mounted in the platform's server. It owns no calls, no media and no listener: the
// platform attaches each call that it wants to be on the wire (its queue, its tone stream, the
// application that it belongs to), sets its state, and detaches it when it ends. A request to a
// call is one call of its queue; what the queue and the stream tell goes into the call's outbox,
// and from there, in order, to the application's callback address, by the [Notifier] or in the
// platform's own way.
//
//	bot ── POST …/playPrompt ──> Handler ── Enqueue ──> queue.Queue ──> Media
//	bot <── notification ── Notifier <── outbox <── events ──┘
//
// # Graph's behaviour and ours
//
// Graph's, as its pages publish it: paths and their aliases, the members of every body, status
// codes of success, limits, the order of queued operations and what a cancel does to them, the
// codes 200/0, 200/8515 and 400/8508, when permissions are checked, the notification of each
// operation's end and of each tone, the error envelope.
//
// Ours, where Graph says nothing:
//
//   - Other results than those take codes of Azure Communication Services, which shares the number
//     space; the end of the call and of the service, 8528 and 8572, are our choice from it.
//   - A play that was cancelled is failed, with 400/8508, as a record is.
//   - A record that the end of the call broke off is told with its partial recording.
//   - Notifications carry all members that any published one of their kind has; ids in their
//     resourceUrl are upper-case without dashes, elsewhere lower-case GUIDs. completionReason is
//     null where Graph has no value.
//   - A call's notifications come in the order in which things happened, one request at a time, at
//     least once, never before the answer to the request that caused them, and none after
//     terminated.
//   - An operation's status in the answer that accepts it is notStarted or running, even if it has
//     ended meanwhile: its end is told by a notification, which after a final status must not come.
//   - A cancel of an empty queue is a success. Repeated subscriptions to tones are successes that
//     change nothing. loop is taken on playPrompt everywhere.
//   - A call belongs to the application that made it; for others there is no such call.
//   - Operations that the platform enqueues itself are on the wire like those of the bot; kinds of
//     its own are shown as commsOperation.
//   - Ended operations can be read for some time, see [WithRetention]; those of a call that
//     has ended can't.
//   - Errors: 409 with code 8501 before the call is established, 429 with 8516 if the queue is
//     full, 400 with 8523 and the member's path for values out of their limits.
//   - Limits of what a request may hold, see [MaxURI] and those beside it; of the calls of an
//     application, its requests in a second, and what is kept for it, see [WithMaxCalls],
//     [WithMaxRequests] and [WithMaxBytes].
//   - The Value of an operation that a request made is the handler's own.
//   - Version and ETag: GET answers carry the ETag header; conditions on it are not looked at.
//
// # Concurrency
//
// Everything is safe for concurrent use. Requests wait for nothing but the platform's functions,
// which are called with no lock held. Only [Handler.Shutdown] and [Notifier.Deliver] wait. A call
// that has nothing to tell holds no goroutine.
//
// # Errors
//
// [ErrAttached], [ErrDetached], [ErrShutDown] and [ErrUnavailable] are matched with errors.Is. An
// address that is refused is an *operation.FieldError. What the client gets never holds the text of
// an error that is not about what it sent.
package graph
