package tone

import "errors"

var (
	// ErrEnded is returned when the call has ended and all tones were read.
	ErrEnded = errors.New("tone: ended")

	// ErrClosed is returned of a subscription that was closed.
	ErrClosed = errors.New("tone: subscription closed")

	// ErrCollecting is returned by Collect while another Collect reads from the subscription.
	ErrCollecting = errors.New("tone: subscription is being collected from")
)
