package queue

import (
	"errors"
	"fmt"
)

// What a queue refuses. Whoever gets one of these has changed nothing.
var (
	// ErrClosed is returned once the queue was closed or sealed: it accepts nothing any more.
	ErrClosed = errors.New("queue: closed")

	// ErrFull is returned by Enqueue when as many operations wait as WithMaxPending allows, and by
	// Enqueue and Interrupt when an observer is too far behind: it has yet to get the Ended events of
	// more than four full queues.
	ErrFull = errors.New("queue: full")

	// ErrNotFound is returned by Cancel for an id that no running or waiting operation has.
	ErrNotFound = errors.New("queue: no live operation with this id")

	// ErrDuplicateID is returned for an operation with an id that a live one has.
	ErrDuplicateID = errors.New("queue: duplicate id")
)

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

// Unwrap returns the panic's value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
