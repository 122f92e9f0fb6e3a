// Package service is a media service on ivrqueue, small but whole: package graph is its API, the
// soft engine its media. Read it to see how the library is linked into a service of your own; run
// it with "go run ./examples/ivr serve".
//
// # How to think of it
//
// A [Service] is an http.Handler and the calls behind it. Each call has four things: a queue, a
// tone stream, media from the engine, and a phone, which is the caller. The graph handler brings
// what bots ask for to the queue, and what the queue tells to the bots. What is left is here: who
// may come in (auth.go, oidc.go), how a call begins and ends (call.go), what is logged and loaded
// ahead (observer.go), where recordings can be had (recordings.go), and helpers for those who
// develop a bot (dev.go, inbox.go).
//
//	bot ──> ServeHTTP ──> graph.Handler ──> queue.Queue ──> softmedia.Media ──> phone
//
// # Concurrency
//
// A Service is safe for concurrent use. A call holds no goroutine but while it plays, records, or
// has something to tell.
//
// # Errors
//
// The API's are package graph's. [New] and the options name what is wrong.
package service
