package operation

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
)

// Result is how an operation ended.
type Result struct {
	// Reason says why. Media that reports a result with a zero Reason means [Succeeded], or, where
	// Err is set, the Reason found in Err, else [Unspecified].
	Reason Reason

	// Err is the cause on this side of the wire: for logs. Of it the bot gets no more than what
	// [Detail] returns. It may be nil.
	Err error

	// Recording is what a record operation recorded; zero if nothing.
	Recording Recording

	// Value is the outcome of an operation of the platform's own kind: the digits, a transcript. It is
	// theirs: nothing here looks at it, no wire shows it unless they say how, and it is kept as long
	// as the result is. It is nil where there is none.
	Value any

	// Position is how far the media had come: what was played or recorded. For an operation that
	// was preempted (cancelled, timed out, or the call ended) it is what the media had reported by
	// then; what it reached before it fell silent, the Released event shows.
	Position time.Duration
}

// hasDetail reports whether it has what most results do not have. It looks at a field at a time: a
// comparison of the whole recording would copy it.
func (r *Result) hasDetail() bool {
	return r.Err != nil || r.Value != nil || r.Recording.Location != "" ||
		r.Recording.AccessToken != "" || r.Recording.Duration != 0
}

// Recording says where a recording is and how long it is. String and LogValue leave the token out;
// package encoding/json and the verb %#v do not.
type Recording struct {
	Location    string        // where it can be had, for example an https URL
	AccessToken string        // what Location asks for as bearer token; a secret
	Duration    time.Duration // length of the audio
}

// String returns the location and the length, and nothing for the zero Recording.
func (r Recording) String() string {
	if r == (Recording{}) {
		return ""
	}
	return fmt.Sprintf("%s (%v)", r.Location, r.Duration)
}

// LogValue returns the location and the length.
func (r Recording) LogValue() slog.Value {
	return slog.GroupValue(slog.String("location", r.Location), slog.Duration("duration", r.Duration))
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
	if named, ok := FindReason(e.Err); ok && named == e.Reason { // no errors.Is: see find.go
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
