// Package service is a media service on ivrqueue, small but whole: package graph is its API, the
// soft engine its media. Read it to see how the library is linked into a service of your own; run
// it with "go run ./examples/ivr serve".
//
// # How to think of it
//
// A [Service] is an http.Handler and the calls behind it. Each call has four things: a queue, a
// tone stream, media from the engine, and a line, to a telephone or to who plays the caller. The
// graph handler brings bots' requests to the queue, and the queue's events to the bots. The
// rest is here: who may come in (auth.go, oidc.go), how a call begins and ends (call.go), the
// telephones that call and are called (phones.go, telephone.go, results.go), what is logged
// (observer.go), where recordings can be had (recordings.go), and helpers for those who develop a
// bot (dev.go, inbox.go, inspector.go).
//
//	bot ──> ServeHTTP ──> graph.Handler ──> queue.Queue ──> media.Media ──> phone
//
// # Concurrency
//
// A Service is safe for concurrent use. A call holds no goroutine but while it plays, records, or
// has something to send; that of a telephone holds a few, of package sip's and one here.
//
// # Errors
//
// The API's are package graph's. [New] and the options name what is wrong.
package service
