// Package graph is the Microsoft Graph wire of a media platform: the HTTP API by which bots play,
// record, cancel and subscribe to tones, and the notifications by which they hear what came of it.
//
// # How to think of it
//
// A [Handler] is mounted in the platform's server. It owns no calls, no media and no listener: the
// platform attaches each call that it wants to be on the wire (its queue, its tone stream, the
// application that it belongs to), sets its state, and detaches it when it ends. A request to a
// call is one call of its queue; what the queue and the stream report goes into the call's outbox,
// and from there, in order, to the application's callback address, by a [webhook.Notifier] or in
// the platform's own way.
//
//	handler, err := graph.New(graph.Platform{Authenticate: authenticate, CreateCall: createCall})
//	mux.Handle("/", handler) // or below any prefix
//	q, err := queue.New(id, media, queue.WithObserver(handler)) // in createCall, then NewCall.Attach
//
//	bot ── POST …/playPrompt ──> Handler ── Enqueue ──> queue.Queue ──> Media
//	bot <── notification ── Notifier <── outbox <── events ──┘
//
// Several processes can be one service: a [Ledger] has what each call owes to its application, so
// that another process can deliver it ([Owed.Deliveries], [Handler.Deliver]); [WithPermit] forbids
// to send, [AnsweredElsewhere] is for answers that another process brings. Module cluster uses
// them.
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
//   - A record that the end of the call broke off is notified with its partial recording, if the
//     media gives that within the stop timeout. Media that uploads for longer needs a longer one:
//     queue.WithStopTimeout, or queue.StopTimeout among the options of an [Admission].
//   - Notifications carry all members that any published one of their kind has, and resource
//     besides, which is in captures of the service. Ids are lower-case GUIDs, as in the answer that
//     created the call; those in resourceUrl and @odata.id of an operation's notification are
//     upper-case without dashes, as the page on cancelMediaProcessing has them, see [WithGUIDs].
//     completionReason is null where Graph has no value.
//   - A call's notifications come in the order in which things happened, one request at a time, at
//     least once, never before the answer to the request that caused them, and none after
//     terminated.
//   - An operation's status in the answer that accepts it is notStarted or running, even if it has
//     ended meanwhile: its end arrives by a notification, which after a final status must not come.
//   - A cancel of an empty queue is a success. Repeated subscriptions to tones are successes that
//     change nothing. loop is taken on playPrompt everywhere.
//   - Of members that come twice, in whatever letter case, the last one counts, whole. Text that
//     is not Unicode is 400, another charset than UTF-8 415; a byte order mark is ignored. A number
//     is whole if its value is. What is passed through, such as a call's source and targets, keeps
//     every digit.
//   - Addresses of HTTP go on the wire with what may not stand in a path or query escaped, the rest
//     byte for byte; one that can never work is 400.
//   - Of a failure the bot learns, behind the published message, the prompt, and what the media
//     makes public of the cause, see [operation.Detail].
//   - A call belongs to the application that made it; for others there is no such call.
//   - Operations that the platform enqueues itself are on the wire like those of the bot. Kinds of
//     its own are shown as commsOperation, unless [WithKind] gives them a type; it also gives them
//     an action, and what clients see of their outcome, as the member outcome.
//   - Ended operations can be read for some time, see [WithRetention]; those of a call that
//     has ended can't.
//   - Of the decisions on an incoming call the first one counts, and the time is one; later ones
//     are 409 with code 8585. What is not there is 501 with code 8520: see docs/incoming.md.
//   - Errors: 409 with code 8501 before the call is established, 429 with 8516 if the queue is
//     full, 400 with 8523 and the member's path for values out of their limits.
//   - Limits of what a request may hold, see [MaxURI] and those beside it; of the calls of an
//     application, its requests in a second, and what is kept for it, see [WithMaxCalls],
//     [WithMaxRequests] and [WithMaxBytes].
//   - The Value and the id of an operation that a request made are the handler's own. What the
//     platform has to say to a request for an operation, it says in [Platform.Admit].
//   - Version and ETag: GET answers carry the ETag header; conditions on it are not looked at.
//
// # Concurrency
//
// Everything is safe for concurrent use. Requests wait for nothing but the platform's functions,
// which are called with no lock held. Only [Handler.Shutdown] and [Handler.Deliver] wait. A call
// without notifications in line holds no goroutine.
//
// # Errors
//
// [ErrAttached], [ErrDetached], [ErrShutDown] and [ErrUnavailable] are matched with errors.Is. An
// address that is refused is an *operation.FieldError. What the client gets never holds the text of
// an error that is not about what it sent, unless it is an [*Error] of the platform's.
//
// # Examples
//
// In the repository examples/graphapi mounts a handler, and has a bot use it; examples/ivr/service
// is a whole service on it.
package graph
