package graph

import "slices"

// CallState is Graph's callState.
type CallState string

// The states of a call. Terminated is reached by [Call.Detach] alone.
const (
	Incoming         CallState = "incoming"
	Ringing          CallState = "ringing"
	Establishing     CallState = "establishing"
	Established      CallState = "established"
	Hold             CallState = "hold"
	Transferring     CallState = "transferring"
	TransferAccepted CallState = "transferAccepted"
	Redirecting      CallState = "redirecting"
	Terminating      CallState = "terminating"
	Terminated       CallState = "terminated"
)

var callStates = []CallState{
	Incoming, Ringing, Establishing, Established, Hold, Transferring, TransferAccepted, Redirecting,
	Terminating, Terminated,
}

// valid reports whether a platform may set the state.
func (s CallState) valid() bool { return s != Terminated && slices.Contains(callStates, s) }

// established reports whether a call in this state has come so far that media can be asked for,
// given whether it had before: one may be hung up at any time.
func (s CallState) established(before bool) bool {
	switch s {
	case Incoming, Ringing, Establishing, Redirecting:
		return false
	case Terminating:
		return before
	default:
		return true
	}
}

// MediaState is Graph's mediaState.
type MediaState string

// The states of a call's audio; empty as long as there is none.
const (
	Active   MediaState = "active"
	Inactive MediaState = "inactive"
)

func (s MediaState) valid() bool { return s == "" || s == Active || s == Inactive }

// State is what a call is doing.
type State struct {
	Call  CallState
	Audio MediaState
}
