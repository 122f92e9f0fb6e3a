package sip

import (
	"errors"
	"fmt"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
)

// What becomes of a call that was not answered. A [*StatusError] is one of the first three.
var (
	ErrBusy     = errors.New("sip: busy")
	ErrNoAnswer = errors.New("sip: no answer")
	ErrDeclined = errors.New("sip: declined")

	// ErrCancelled: the caller has given up before the call was answered.
	ErrCancelled = errors.New("sip: cancelled")
	// ErrEnded: the call has ended, or was decided otherwise already.
	ErrEnded = errors.New("sip: call ended")
	// ErrNotAcceptable: both ends have no codec in common, or no address to send to.
	ErrNotAcceptable = errors.New("sip: no media in common")
	// ErrUnavailable: the agent has as many calls as it may, no port is free, or it shuts down.
	ErrUnavailable = errors.New("sip: not available")
)

// StatusError is a final response that is none of success (RFC 3261, 21). It is [ErrBusy] for 486
// and 600, [ErrNoAnswer] for 408, 480 and 487, [ErrDeclined] for 403, 603 and 607, as errors.Is
// reports.
type StatusError struct {
	Code   int
	Reason string // the peer's words; they are not to be trusted
}

// Error returns the code and the reason, escaped.
func (e *StatusError) Error() string {
	return fmt.Sprintf("sip: peer answered %d %q", e.Code, clip(e.Reason))
}

// Is reports whether the status is what target says.
func (e *StatusError) Is(target error) bool {
	switch e.Code {
	case sipgo.StatusBusyHere, sipgo.StatusGlobalBusyEverywhere:
		return target == ErrBusy
	case sipgo.StatusRequestTimeout, sipgo.StatusTemporarilyUnavailable,
		sipgo.StatusRequestTerminated:
		return target == ErrNoAnswer
	case sipgo.StatusForbidden, sipgo.StatusGlobalDecline, statusUnwanted:
		return target == ErrDeclined
	default:
		return false
	}
}

const (
	statusUnwanted       = 607 // RFC 8197
	statusIntervalTooLow = 422 // RFC 4028
	statusUnknownScheme  = 416 // RFC 3261, 21.4.14; the stack has the name of HTTP's
)

// clip bounds what is logged of a peer's words.
func clip(s string) string {
	const most = 128
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// reasons are the phrases of the responses that we give.
var reasons = map[int]string{
	180: "Ringing", 200: "OK", 302: "Moved Temporarily", 400: "Bad Request", 403: "Forbidden",
	404: "Not Found", 405: "Method Not Allowed", 415: "Unsupported Media Type",
	416: "Unsupported URI Scheme", 420: "Bad Extension", 422: "Session Interval Too Small",
	480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
	486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here",
	491: "Request Pending", 500: "Server Internal Error", 501: "Not Implemented",
	503: "Service Unavailable", 505: "Version Not Supported", 600: "Busy Everywhere",
	603: "Decline",
}

func reasonOf(status int) string {
	if r := reasons[status]; r != "" {
		return r
	}
	return "Rejected"
}

// The times of RFC 3261, 17.1.1.1.
const (
	t1 = 500 * time.Millisecond
	t2 = 4 * time.Second
	// giveUp is how long a request, or a 200 to an INVITE, is repeated: 64 times T1.
	giveUp = 64 * t1
)

// repeats are the pauses after which a 200 is sent again until its ACK comes (RFC 3261, 13.3.1.4):
// 0.5, 1, 2, 4, 4 … s, the last one being cut when it is time to give up, so much after the first.
func repeats(since, last time.Duration) time.Duration {
	return max(0, min(max(t1, 2*last), t2, giveUp-since))
}
