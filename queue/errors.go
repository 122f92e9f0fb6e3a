package queue

import (
	"errors"
	"fmt"
)

// What a queue refuses. Whoever gets one of these has changed nothing.
var (
	// ErrClosed is returned once the queue was closed or sealed, or the group was: it accepts
	// nothing any more.
	ErrClosed = errors.New("queue: closed")

	// ErrFull is returned by Enqueue and EnqueueNext when as many operations wait as WithMaxPending
	// allows, and by Interrupt when as many protected ones do, which it has to spare; and by all
	// of them when an observer is too far behind: the ends of more than four full queues are
	// undelivered. The error names the limit.
	ErrFull = errors.New("queue: full")

	// ErrNotFound is returned by Cancel, PauseOperation and ResumeOperation for an id that no running
	// or waiting operation has.
	ErrNotFound = errors.New("queue: no live operation with this id")

	// ErrNotRunning is returned by PauseOperation and ResumeOperation for an operation that waits.
	ErrNotRunning = errors.New("queue: operation is waiting, must be running")

	// ErrNotPausable is returned by PauseOperation and ResumeOperation where the media is no [Pauser],
	// as that of Blocking is not.
	ErrNotPausable = errors.New("queue: media cannot pause")

	// ErrDuplicateID is returned for an operation with an id that a live one of its queue has, and
	// for a call with an id that another one of its group has.
	ErrDuplicateID = errors.New("queue: duplicate id")
)

// fullError is an [ErrFull] that names the limit. Its text is made for who reads it: producers may
// try again and again.
type fullError struct {
	what  string // a format of the limit
	limit int
}

func (e fullError) Error() string {
	return fmt.Sprintf("%v: "+e.what+", which is the limit", ErrFull, e.limit)
}

func (fullError) Unwrap() error { return ErrFull }

// ErrKeyReused is returned for an idempotency key with which another method was called, or a
// request of another kind was given. Nothing has changed.
var ErrKeyReused = errors.New("queue: idempotency key of another call")

// ErrStarted is the cause of the context that a [Preparer] gets, when its operation was started.
var ErrStarted = errors.New("queue: operation was started")

// ErrExited is the cause of a result whose media called runtime.Goexit instead of returning.
var ErrExited error = exitedError{}

type exitedError struct{}

func (exitedError) Error() string { return "queue: callback exited its goroutine" }

// PanicError is the cause of a result whose media panicked. It unwraps to the panic's value if
// that is an error.
type PanicError struct {
	Value any    // what panic was called with
	Stack []byte // of the goroutine that panicked, as debug.Stack formats it
}

// Error shows the value. The stack is for logs.
func (e *PanicError) Error() string { return fmt.Sprintf("queue: callback panicked: %v", e.Value) }

// Unwrap returns the panic's value if it is an error, or what says that its methods panic.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return sound(err)
}
