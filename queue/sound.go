package queue

import (
	"errors"
	"fmt"

	"ivrqueue/internal/foreign"
	"ivrqueue/operation"
)

// The cause of a result is shown to whoever asks for it: to errors.Is, to a logger. A cause that
// would panic there, as a typed nil does, or never come to an end, is replaced when it is reported.

// maxErrors is how many errors the tree of a cause may have.
const maxErrors = 1000

// normalize gives a result the reason that media means: a valid one, or zero for success; and a
// cause that is sound. It asks the error, so it must be called without the lock.
func normalize(r *operation.Result) {
	if r.Err == nil && r.Reason == 0 {
		return
	}
	if !r.Reason.Valid() {
		if r.Err == nil {
			r.Err = unregisteredError(r.Reason)
		}
		r.Reason = operation.ReasonOf(r.Err)
	}
	r.Err = sound(r.Err)
}

// unregisteredError is the cause of a result whose reason is not registered.
type unregisteredError operation.Reason

func (e unregisteredError) Error() string {
	return "queue: media reported " + operation.Reason(e).String() + ", which is not registered"
}

// failed is the result that an error of the media stands for.
func failed(err error) operation.Result {
	r := operation.Result{Err: err}
	normalize(&r)
	return r
}

// sound returns err, or, if a method of an error of its tree panics, or the tree is too large, an
// error that says so. It must be called without a lock, since these methods may block.
func sound(err error) (same error) {
	if err == nil {
		return nil
	}
	defer func() {
		if v := recover(); v != nil {
			same = fmt.Errorf("queue: error %T panicked: %v", err, v)
		}
	}()
	left := maxErrors
	if ask(err, &left); left < 0 {
		return fmt.Errorf("queue: error %T unwraps to more than %d errors", err, maxErrors)
	}
	return err
}

// ask calls Unwrap of the errors of a tree, as errors.Is does, and the other methods of those that
// hold nil, as long as left is not negative.
func ask(err error, left *int) {
	for err != nil {
		if *left--; *left < 0 {
			return
		}
		if foreign.IsNil(err) {
			_ = err.Error()
			if e, ok := err.(interface{ Is(target error) bool }); ok {
				e.Is(errNobodys)
			}
		}
		switch tree := err.(type) { //nolint:errorlint // this is what unwraps
		case interface{ Unwrap() error }:
			err = tree.Unwrap()
		case interface{ Unwrap() []error }:
			for _, err := range tree.Unwrap() {
				if ask(err, left); *left < 0 {
					return
				}
			}
			return
		default:
			return
		}
	}
}

// errNobodys is an error that no tree has.
var errNobodys = errors.New("queue: nobody's error")

// errUnasked stands for a cause that exited the goroutine when it was asked.
var errUnasked = errors.New("queue: error exited the goroutine of who asked it")
