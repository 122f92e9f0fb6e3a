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

// Error is what [Operation.Err] returns for a failed operation. It unwraps to its Reason and to
// the cause.
type Error struct {
	ID     uuid.UUID
	Kind   Kind
	Reason Reason
	Err    error // the cause, or nil
}

// Error names the operation, the reason and the cause. The reason is left out where the cause names
// it.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("operation: %s %s: %s", e.Kind, e.ID, e.Reason.Error())
	}
	if errors.Is(e.Err, e.Reason) {
		return fmt.Sprintf("operation: %s %s: %v", e.Kind, e.ID, e.Err)
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
