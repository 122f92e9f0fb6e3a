package operation

import "fmt"

// Reason is why an operation ended: one row of the table of results. It is an error too, so that
// [errors.Is] finds it in [Operation.Err] and in the cause of a task's context; errors.Is takes
// [BargedIn] for a kind of [Cancelled]. The zero Reason means "not ended". A platform adds reasons
// of its own with [RegisterReason].
type Reason uint8

// The reasons. Codes, subcodes and messages are Microsoft Graph's resultInfo where Graph documents
// them (cancelMediaProcessing, playPrompt and record pages), else those of its sibling Azure
// Communication Services, which shares the number space; [CallEnded] and [ShutDown] are our choice
// from that space, since neither says what a hang-up does to queued operations. So is
// [OverallTimeout], which neither has.
const (
	Succeeded       Reason = iota + 1 // played or done to its own end
	StopTone                          // a record that its stop tone ended
	MaxDuration                       // a record that reached its longest duration
	MaxSilence                        // a record that ended in silence after speech
	InitialSilence                    // a record in which nobody spoke
	Cancelled                         // ended by CancelAll or Cancel
	BargedIn                          // ended by an operation that barged in; a kind of Cancelled
	PromptFailed                      // a prompt could not be played
	BeepFailed                        // a record's beep could not be played
	BadFormat                         // a prompt is not WAV, mono, 16 bit, 16 kHz, or is empty
	NotDownloadable                   // a prompt could not be had
	TimedOut                          // showed neither progress nor end for the run timeout
	Abandoned                         // its media did not report within the stop timeout
	Panicked                          // its media panicked or exited its goroutine in Start
	Unspecified                       // failed otherwise; see Result.Err
	CallEnded                         // the call ended
	ShutDown                          // the service shut down

	MaxDigits         // as many digits were entered as may be; see ReasonOfDigits
	Matched           // digits are complete: no more could follow, or none did in time
	InterDigitTimeout // digits stayed incomplete: the next one did not come in time
	OverallTimeout    // digits stayed incomplete in the time for all of them
	NoMatch           // digits are not acceptable

	KeyPressed // a play that one of its stop tones ended
)

// row is a Reason spelled out.
type row struct {
	name          string
	status        Status
	code, subcode int
	message       string
	play, record  string // Graph's completionReason of a play and of a record
}

const (
	cancelledMessage = "Action failed, the operation was cancelled."
	internalMessage  = "Action failed, an internal error occurred."
)

// rows is the table of results as it begins.
var rows = [...]row{
	Succeeded: {
		"succeeded", Completed, 200, 0, "Action completed successfully.",
		"completedSuccessfully", "",
	},
	StopTone: {
		"stopTone", Completed, 200, 8514, "Action completed as stop tone was detected.",
		"", "stopToneDetected",
	},
	MaxDuration: {
		"maxDuration", Completed, 200, 8515, "Action completed, max record duration reached.",
		"", "maxRecordDurationReached",
	},
	MaxSilence: {
		"maxSilence", Completed, 200, 8509, "Action completed, max silence timeout reached.",
		"", "maxSilenceTimeout",
	},
	InitialSilence: {
		"initialSilence", Failed, 400, 8510, "Action failed, initial silence timeout reached.",
		"unknown", "initialSilenceTimeout",
	},
	Cancelled: {
		"cancelled", Failed, 400, 8508, cancelledMessage,
		"mediaOperationCanceled", "operationCanceled",
	},
	BargedIn: {
		"bargedIn", Failed, 400, 8508, cancelledMessage,
		"mediaOperationCanceled", "operationCanceled",
	},
	PromptFailed: {
		"promptFailed", Failed, 500, 8511, "Action failed, the prompt could not be played.",
		"unknown", "playPromptFailed",
	},
	BeepFailed: {
		"beepFailed", Failed, 500, 8512, "Action failed, the beep could not be played.",
		"unknown", "playBeepFailed",
	},
	BadFormat: {
		"badFormat", Failed, 400, 8535, "Action failed, the file format is invalid.",
		"unknown", "unspecifiedError",
	},
	NotDownloadable: {
		"notDownloadable", Failed, 400, 8536, "Action failed, the file could not be downloaded.",
		"unknown", "unspecifiedError",
	},
	TimedOut:    {"timedOut", Failed, 500, 9999, internalMessage, "unknown", "unspecifiedError"},
	Abandoned:   {"abandoned", Failed, 500, 9999, internalMessage, "unknown", "unspecifiedError"},
	Panicked:    {"panicked", Failed, 500, 9999, internalMessage, "unknown", "unspecifiedError"},
	Unspecified: {"unspecified", Failed, 500, 9999, internalMessage, "unknown", "unspecifiedError"},
	CallEnded: {
		"callEnded", Failed, 400, 8528, "Action failed, the call was terminated.",
		"mediaOperationCanceled", "operationCanceled",
	},
	ShutDown: {
		"shutDown", Failed, 500, 8572, "Action failed, the service was shut down.",
		"mediaOperationCanceled", "operationCanceled",
	},
	MaxDigits: {"maxDigits", Completed, 200, 8531, "Action completed, max digits received.", "", ""},
	Matched:   {"matched", Completed, 200, 8533, "Action completed, DTMF option matched.", "", ""},
	InterDigitTimeout: {
		"interDigitTimeout", Failed, 400, 8532, "Action failed, inter-digit silence timeout reached.",
		"unknown", "unspecifiedError",
	},
	OverallTimeout: {
		"overallTimeout", Failed, 400, 8532, "Action failed, overall timeout reached.",
		"unknown", "unspecifiedError",
	},
	NoMatch: {
		"noMatch", Failed, 400, 8534, "Action failed, incorrect tone detected.",
		"unknown", "unspecifiedError",
	},
	KeyPressed: {
		"keyPressed", Completed, 200, 8514, "Action completed as stop tone was detected.",
		"completedSuccessfully", "stopToneDetected",
	},
}

// Valid reports whether r is one of the reasons above, or registered.
func (r Reason) Valid() bool { return reasons.rows[r].Load() != nil }

func (r Reason) row() *row {
	if listed := reasons.rows[r].Load(); listed != nil {
		return &listed.row
	}
	return &noReason
}

var noReason row

// String returns the reason's name, such as "cancelled": a label for logs and metrics. Of the zero
// Reason it is "no reason", a name that no other can have.
func (r Reason) String() string {
	switch {
	case r == 0:
		return "no reason"
	case !r.Valid():
		return fmt.Sprintf("Reason(%d)", uint8(r))
	}
	return r.row().name
}

// Status returns [Completed] or [Failed]; zero for no reason.
func (r Reason) Status() Status { return r.row().status }

// Code returns resultInfo.code, such as 400.
func (r Reason) Code() int { return r.row().code }

// Subcode returns resultInfo.subcode, such as 8508.
func (r Reason) Subcode() int { return r.row().subcode }

// Message returns resultInfo.message, or its beginning; see [Detail]. It is for people: match on
// the reason or the subcode.
func (r Reason) Message() string { return r.row().message }

// CompletionReason returns Graph's completionReason for an operation of this kind that ended for r:
// "mediaOperationCanceled" for a cancelled play or sending of tones, "operationCanceled" for a
// cancelled record. It is empty where Graph has none, and for kinds of the platform's own.
func (r Reason) CompletionReason(k Kind) string {
	switch k {
	case KindPlayPrompt, KindSendTones:
		return r.row().play
	case KindRecordResponse:
		return r.row().record
	default:
		return ""
	}
}

// Error returns the name with code and subcode, if there are any: "cancelled (400/8508)".
func (r Reason) Error() string {
	if r == 0 {
		return r.String()
	}
	return fmt.Sprintf("%s (%d/%d)", r.String(), r.Code(), r.Subcode())
}

// Is makes a barge-in a kind of cancel for errors.Is.
func (r Reason) Is(target error) bool {
	return target == Cancelled && r == BargedIn
}
