package graph

import (
	"errors"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"
)

var (
	// ErrShutDown is returned by Attach once Shutdown was called.
	ErrShutDown = errors.New("graph: shut down")

	// ErrAttached is returned by Attach for a wire id that is taken, and a queue that is attached.
	ErrAttached = errors.New("graph: already attached")

	// ErrDetached is returned of a call that was detached.
	ErrDetached = errors.New("graph: detached")

	// ErrUnavailable is for the platform's functions to return, alone or wrapped: the request is
	// answered with 503, and the client may come again.
	ErrUnavailable = errors.New("graph: unavailable")
)

// Error is for the platform's functions to return, alone or wrapped: the client is answered with
// it. Authenticate has no use for it. One that is not as its fields say is an internal error.
type Error struct {
	Status  int    // of HTTP: 400 to 599
	Code    string // Graph's word, such as quotaLimitReached; 1 to 64 visible ASCII characters
	Message string // for people: 1 to 1,024 bytes of UTF-8; it goes on the wire

	// RetryAfter is when the client may come again, in whole seconds, rounded up: at most a day.
	// Default: not said.
	RetryAfter time.Duration
}

// Error puts status, code and message into one line.
func (e *Error) Error() string {
	if e == nil {
		return "graph: nil *Error"
	}
	return fmt.Sprintf("graph: %d, %s: %s", e.Status, e.Code, e.Message)
}

// Limits of an Error.
const (
	maxErrorCode    = 64
	maxErrorMessage = 1024
)

// onWire returns what the client gets.
func (e *Error) onWire() *apiError {
	if e == nil || e.Status < http.StatusBadRequest || e.Status > 599 ||
		!plain(e.Code) || len(e.Code) > maxErrorCode ||
		e.Message == "" || len(e.Message) > maxErrorMessage || !utf8.ValidString(e.Message) ||
		e.RetryAfter < 0 || e.RetryAfter > longest {
		return errInternal
	}
	p := &apiError{status: e.Status, code: e.Code, message: e.Message}
	if e.RetryAfter > 0 {
		p.header = retryHeader(e.RetryAfter)
	}
	return p
}
