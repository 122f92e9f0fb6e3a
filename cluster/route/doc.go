// Package route lets any node of a cluster take any request of a bot: it brings it to the node that
// has the call, over NATS, and the answer back, as if the client had come there.
//
// # How to think of it
//
// A [Router] stands in front of the platform's HTTP handler. A request whose path names a
// call ("/calls/" and an id) belongs to the owner that the id names; every other one is served
// here. The owner serves a forwarded request with the same handler, so its answer is the same: the
// client's host and scheme come along, and with them the base of each Location.
//
// A request goes out in a message of NATS to NODE.EPOCH, and its answer comes back in one; of an
// answer that is larger than a message the rest is fetched. What is to go to a node at the same
// time shares a message. Each node has three subscriptions, whatever its calls. Notifications that
// wait for the answer wait until the node that the client is connected to has written it: it says
// so in a message, and if that is lost they go after a second.
//
// An item of a message is read by take or cutReply, and a message is made in batch.go. The
// files in the order of a request: router.go, message.go, ask.go, batch.go, serve.go, and back.
//
// # Who answers
//
// Nobody answers without the right to: a node whose lease does not hold answers 503, even if it has
// served the request by then. The owner of a call is dead: 503 until the notification of its end
// was delivered, then 404 with code 8522, as for any call that has ended.
//
// # Concurrency
//
// Everything is safe for concurrent use. A forwarded request takes a goroutine at the owner while
// it is served; at most [MaxServed] are at once, more are answered with 503.
//
// # Examples
//
// In the repository examples/cluster has a bot ask a node for another one's call.
package route
