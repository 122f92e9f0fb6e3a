// Package cluster makes several processes of a media platform one service: a bot may talk to any of
// them, and when one dies the others notify its bots of the ends of their calls.
//
// # How to think of it
//
// A call has one owner, for as long as it lives: the node that made it, whose name and epoch are in
// the call's id (package callid). Any node takes any request, and brings it to the owner (package
// route). A node acts for its calls only while its lease holds (package member): it asks
// [Node.Holds] before each frame, notification and answer. What a call owes to its bot is in the
// memory of the other nodes before a request is answered, and in a journal half a second later
// (package journal), so that another node can deliver it when the owner is dead: what was not
// delivered yet, then each live operation as failed with 500/9999, then the call as terminated.
//
//	bot ──> any node ──route──> owner ──> queue, media
//	                              │ what it owes
//	                              ├──> the others' memory ──heir──> bot, when the owner is dead
//	                              └──> journal
//
// README.md says what that promises and what not, and how to run it.
//
// # Use
//
// [New] joins the cluster. Give [Node.GraphOptions] to graph.New and [Node.NotifierOption] to
// webhook.New, ask Holds where a frame leaves, then call [Node.Start] with the platform, and
// have the HTTP server serve the handler that it returns. In the end [Node.Drain], end the calls,
// and [Node.Close].
//
// # Concurrency
//
// Everything is safe for concurrent use. New, Close and [Node.WaitReady] wait. Callbacks of the
// platform run on goroutines of their own and may block.
//
// # Examples
//
// In the repository examples/cluster runs three nodes as one service and loses one of them;
// examples/ivr/service joins a whole service to one.
package cluster
