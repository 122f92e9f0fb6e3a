package tone

import "fmt"

// Reason is why a collection of digits ended. The zero Reason is none.
type Reason uint8

// The reasons. Codes, subcodes and messages are those of Azure Communication Services' recognize
// action, which shares its number space with Microsoft Graph's resultInfo (.NET: ReasonCode,
// MediaEventReasonCode); [CallEnded] and [OverallTimeout], which it does not have, are our choice
// from that space. Package operation has a reason with the same numbers for each.
const (
	MaxDigits         Reason = iota + 1 // Max digits were entered
	StopTone                            // a stop tone was pressed after complete digits
	Matched                             // complete digits: no more can follow, or none did in time
	FirstTimeout                        // no key was pressed in time
	InterDigitTimeout                   // incomplete digits: the next one did not come in time
	OverallTimeout                      // incomplete digits in the time for all of them
	NoMatch                             // the digits are not acceptable, and cannot become so
	CallEnded                           // the stream ended: the caller hung up, whatever the digits
	Cancelled                           // the context ended, or the subscription was closed
)

// reasons is the one table of them.
var reasons = [...]struct {
	name          string
	code, subcode int
	message       string
}{
	MaxDigits:    {"maxDigits", 200, 8531, "Action completed, max digits received."},
	StopTone:     {"stopTone", 200, 8514, "Action completed as stop tone was detected."},
	Matched:      {"matched", 200, 8533, "Action completed, DTMF option matched."},
	FirstTimeout: {"firstTimeout", 400, 8510, "Action failed, initial silence timeout reached."},
	InterDigitTimeout: {
		"interDigitTimeout", 400, 8532, "Action failed, inter-digit silence timeout reached.",
	},
	OverallTimeout: {"overallTimeout", 400, 8532, "Action failed, overall timeout reached."},
	NoMatch:        {"noMatch", 400, 8534, "Action failed, incorrect tone detected."},
	CallEnded:      {"callEnded", 400, 8528, "Action failed, the call was terminated."},
	Cancelled:      {"cancelled", 400, 8508, "Action failed, the operation was cancelled."},
}

// Valid reports whether r is one of the reasons above.
func (r Reason) Valid() bool { return r != 0 && int(r) < len(reasons) }

// Completed reports whether the digits are complete: the reason is MaxDigits, StopTone or Matched.
func (r Reason) Completed() bool { return r.Code() == 200 }

// String returns the reason's name, such as "stopTone": a label for logs and metrics.
func (r Reason) String() string {
	switch {
	case r == 0:
		return "no reason"
	case !r.Valid():
		return fmt.Sprintf("Reason(%d)", uint8(r))
	}
	return reasons[r].name
}

// Code returns the code, 200 or 400; zero for no reason.
func (r Reason) Code() int {
	if !r.Valid() {
		return 0
	}
	return reasons[r].code
}

// Subcode returns the subcode, such as 8514; zero for no reason.
func (r Reason) Subcode() int {
	if !r.Valid() {
		return 0
	}
	return reasons[r].subcode
}

// Message returns the message. It is for people: match on the reason or the subcode.
func (r Reason) Message() string {
	if !r.Valid() {
		return ""
	}
	return reasons[r].message
}
