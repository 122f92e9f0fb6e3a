package tone

import "errors"

var (
	// ErrEnded is returned when the call has ended and all tones were read.
	ErrEnded = errors.New("tone: ended")

	// ErrHandled is returned by Next of a subscription whose tones a function gets.
	ErrHandled = errors.New("tone: subscription has a handler")

	// ErrClosed is returned of a subscription that was closed.
	ErrClosed = errors.New("tone: subscription closed")
)
