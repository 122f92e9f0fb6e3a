// Package ari joins a queue to an Asterisk: it plays and records on channels by ARI, Asterisk's
// REST interface. A playback is started by an HTTP request, its end arrives as an event on one
// websocket for all calls, and some ends never arrive.
//
// # How to think of it
//
// A [Client] is one connection to a server, for all channels of one Stasis application. The
// platform takes calls and hangs up; [Client.Media] does the operations of one channel's queue, and
// [Client.Listen] publishes the channel's keys. What to look at, for whoever writes such an
// adapter:
//
//   - The operation's own id is the playback's and the recording's name, so an event says which
//     task it ends; one that belongs to no task is nobody's.
//   - The task is noted before the request is made, because its end may overtake the answer.
//   - The request that starts a playback does not end with the operation: a request that was broken
//     off may or may not have begun something. Stop follows when Start has returned.
//   - Whoever takes a task off the map reports it: that is all it takes to report once.
//
// # When the event stream breaks
//
// The audio goes on without it, so nothing is failed at once. The client connects again, first
// after 250 ms or so, then less and less often, every 10 s at last. A Start waits for it, up to
// Config.RequestTimeout. Asterisk keeps no event for later: once connected, the client asks for
// everything that it has in progress, and ends what is not there any more: a recording that was
// stored is completed, with its place; else the operation has failed, with [operation.CallEnded] if
// the channel is gone too, and else [operation.Unspecified], because nobody can tell whether a
// prompt was heard to its end. Keys that were pressed meanwhile are lost. An outage of more than
// Config.MaxOutage fails what is in progress.
//
// # What Asterisk does not say
//
//   - A playback of an unknown URI scheme, or of a stored recording that does not exist, begins and
//     never ends. Schemes are checked before. For the rest the server is asked in regular
//     intervals, Config.CheckInterval, and what it does not know any more is ended as above. So no
//     operation waits for ever, also if an event is lost.
//   - A recording that is stopped while it is queued is said to be stopped, and begins all the
//     same: it is stopped again when it begins.
//   - Silence: Asterisk knows one limit for silence, before and after speech. It is
//     RecordResponse.MaxSilence; a recording without any speech is an InitialSilence.
//   - Progress is not reported, so queue.WithRunTimeout, if it is used, must be longer than the
//     longest prompt.
//   - Numbers, digits and characters that are spelled out cannot be stopped: the queue abandons
//     them after its stop timeout.
//
// # Concurrency
//
// Everything is safe for concurrent use. Ends and keys are reported on the goroutine that reads the
// event stream, so inline callbacks hold it up.
//
// # Errors
//
// Errors begin with "ari:", and hold no password. What the server refuses is named with its status.
package ari
