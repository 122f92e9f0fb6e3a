// Package queuetest is for those who implement [queue.Media], and for those who use a queue in
// their tests.
//
// # How to think of it
//
// [Media] is media that does what a test says, and remembers its calls. [Recorder] is an
// observer that keeps every event. [TestMedia] and [TestMediaInBubble] are a conformance suite:
// they drive media of yours through a real queue and report, case by case, where it breaks the
// contract. Three functions are enough to begin with. The faults that are found last in production,
// though, need a [Harness] that can do more: have the back end hang, and count what was heard. A
// stand-in for the back end, with a switch that stops it and a counter, gives both.
//
// # Concurrency
//
// Everything here is safe for concurrent use, and works in real time as well as in a bubble of
// [testing/synctest]. In a bubble, synctest.Wait brings all to rest, and then Media and Recorder
// tell what has happened; in real time, their methods that take a context wait for it.
//
// # Errors
//
// What waits returns the cause of its context. The suite reports through the testing.TB it is
// given.
//
// # Cost
//
// Events and tasks are kept for ever: this is for tests.
//
// # Examples
//
// In the repository the tests of examples/adapters/ari, examples/adapters/player and
// examples/adapters/channel run the suite on media of three forms.
package queuetest
