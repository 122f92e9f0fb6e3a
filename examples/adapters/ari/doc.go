// Package ari shows how media that plays on a server is written: an adapter to a server in the
// manner of Asterisk's ARI. A playback is started by an HTTP request, its end arrives as an event
// on one long-lived stream for all calls, and some ends never arrive.
//
// What to look at:
//
//   - The operation's own id is the playback's, so an event says which task it ends; one that is
//     not the channel's present task is nobody's.
//   - The task is noted before the request is made, because its end may overtake the answer.
//   - The request that starts a playback does not end with the operation: a request that was broken
//     off may or may not have begun something. Stop follows when Start has returned.
//   - Whoever takes the task off the map reports it: that is all it takes to report once.
//   - An end that is lost is the queue's business: [queue.WithRunTimeout] ends the operation (it
//     must be longer than the longest prompt, since ARI tells no progress), Stop asks the server,
//     and a server that knows of no such playback is an answer. One that says nothing is given up
//     after [queue.WithStopTimeout].
//   - An event that is too long costs no memory and no other event: it is told to a logger, and the
//     end that it told, if any, is lost.
package ari
