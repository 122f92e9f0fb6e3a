package operation

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Result is how an operation ended.
type Result struct {
	// Reason says why. Media that reports a result with a zero Reason means [Succeeded], or, where
	// Err is set, the Reason found in Err, else [Unspecified].
	Reason Reason

	// Err is the cause on this side of the wire: for logs, never for the bot. It may be nil.
	Err error

	// Recording is what a record operation recorded; zero if nothing.
	Recording Recording

	// Position is how far the media had come: what was played or recorded. For an operation that was
	// preempted (cancelled, timed out, or the call ended) it is what the media had told by then; what
	// it reached before it fell silent, the Released event tells.
	Position time.Duration
}

// Recording tells where a recording is and how long it is.
type Recording struct {
	Location    string        // where it can be had, for example an https URL
	AccessToken string        // what Location asks for as bearer token; a secret
	Duration    time.Duration // length of the audio
}

// Normalize makes r what the queue takes from media: it gets a valid reason, and the last progress
// as its position where it names none.
func (r *Result) Normalize(last time.Duration) {
	if r.Reason == 0 && r.Err == nil {
		r.Reason = Succeeded
	}
	if !r.Reason.Valid() {
		r.Reason = ReasonOf(r.Err)
	}
	if r.Position <= 0 {
		r.Position = last
	}
}

// ReasonOf returns the Reason that [errors.As] finds in err if it is one of a failure, or
// [Unspecified]; also for a nil err: what reports a failure has not succeeded.
//
// The methods of err run on the caller's goroutine; one that panics has named no reason.
func ReasonOf(err error) Reason {
	if r, ok := FindReason(err); ok {
		return r
	}
	return Unspecified
}

// FindReason returns the Reason of a failure that [errors.As] finds in err, and whether there is
// one.
func FindReason(err error) (r Reason, found bool) {
	defer func() {
		if recover() != nil {
			found = false
		}
	}()
	found = errors.As(err, &r) && r.Status() == Failed
	return r, found
}

// Error is what [Operation.Err] returns for a failed operation. It unwraps to its Reason and to
// the cause.
type Error struct {
	ID     uuid.UUID
	Kind   Kind
	Reason Reason
	Err    error // the cause, or nil
}

// Error names the operation, the reason and the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("operation: %s %s: %s", e.Kind, e.ID, e.Reason.Error())
	}
	return fmt.Sprintf("operation: %s %s: %s: %v", e.Kind, e.ID, e.Reason.Error(), e.Err)
}

// Unwrap returns the Reason and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Err}
}
