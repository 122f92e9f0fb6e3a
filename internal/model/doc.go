// Package model is the twin of a queue, so plain that one can see that it is right: a value that
// can be compared, and one function, [Queue.Apply], that says what a step does to it. It knows no
// lock, no goroutine and no clock.
//
// Think of it as the answer book of three exams. Random scripts play the same calls to a real queue
// and to the model, and compare what both tell after every step. Histories of concurrent calls are
// held against it: is there an order of the calls in which the model gives the same answers? And
// [Explore] walks through all states that the model can reach in a small call, and asks in each
// whether what the queue guarantees is so; then for the protocol by which an operation is read
// without a lock, whose steps are smaller than a call.
//
// A step is what the real queue does under its lock at one go: a call, a report of the media, the
// booking of a callback that was entered or has returned, or a timeout.
package model
