package operation

import "ivrqueue/tone"

// ReasonOfDigits returns the Reason of an operation that collected digits, by why the collection
// ended; [Unspecified] for what is no reason. The numbers and messages are the same. A collection
// that the end of the operation's own context cancelled needs none: its operation has ended.
func ReasonOfDigits(r tone.Reason) Reason {
	switch r {
	case tone.MaxDigits:
		return MaxDigits
	case tone.StopTone:
		return StopTone
	case tone.Matched:
		return Matched
	case tone.FirstTimeout:
		return InitialSilence
	case tone.InterDigitTimeout:
		return InterDigitTimeout
	case tone.OverallTimeout:
		return OverallTimeout
	case tone.NoMatch:
		return NoMatch
	case tone.CallEnded:
		return CallEnded
	case tone.Cancelled:
		return Cancelled
	default:
		return Unspecified
	}
}
