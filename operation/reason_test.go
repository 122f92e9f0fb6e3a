package operation_test

import (
	"errors"
	"fmt"
	"testing"

	"ivrqueue/operation"
)

// The table of results, written out a second time.
func TestTheTableOfResults(t *testing.T) {
	t.Parallel()
	const play, record = operation.KindPlayPrompt, operation.KindRecordResponse
	rows := []struct {
		r             operation.Reason
		name          string
		status        string
		code, subcode int
		play, record  string
	}{
		{operation.Succeeded, "succeeded", "completed", 200, 0, "completedSuccessfully", ""},
		{operation.StopTone, "stopTone", "completed", 200, 8514, "", "stopToneDetected"},
		{operation.MaxDuration, "maxDuration", "completed", 200, 8515, "", "maxRecordDurationReached"},
		{operation.MaxSilence, "maxSilence", "completed", 200, 8509, "", "maxSilenceTimeout"},
		{operation.InitialSilence, "initialSilence", "failed", 400, 8510, "unknown", "initialSilenceTimeout"},
		{operation.Cancelled, "cancelled", "failed", 400, 8508, "mediaOperationCanceled", "operationCanceled"},
		{operation.BargedIn, "bargedIn", "failed", 400, 8508, "mediaOperationCanceled", "operationCanceled"},
		{operation.PromptFailed, "promptFailed", "failed", 500, 8511, "unknown", "playPromptFailed"},
		{operation.BeepFailed, "beepFailed", "failed", 500, 8512, "unknown", "playBeepFailed"},
		{operation.BadFormat, "badFormat", "failed", 400, 8535, "unknown", "unspecifiedError"},
		{operation.NotDownloadable, "notDownloadable", "failed", 400, 8536, "unknown", "unspecifiedError"},
		{operation.TimedOut, "timedOut", "failed", 500, 9999, "unknown", "unspecifiedError"},
		{operation.Abandoned, "abandoned", "failed", 500, 9999, "unknown", "unspecifiedError"},
		{operation.Panicked, "panicked", "failed", 500, 9999, "unknown", "unspecifiedError"},
		{operation.Unspecified, "unspecified", "failed", 500, 9999, "unknown", "unspecifiedError"},
		{operation.CallEnded, "callEnded", "failed", 400, 8528, "mediaOperationCanceled", "operationCanceled"},
		{operation.ShutDown, "shutDown", "failed", 500, 8572, "mediaOperationCanceled", "operationCanceled"},
		{operation.MaxDigits, "maxDigits", "completed", 200, 8531, "", ""},
		{operation.Matched, "matched", "completed", 200, 8533, "", ""},
		{operation.InterDigitTimeout, "interDigitTimeout", "failed", 400, 8532, "unknown", "unspecifiedError"},
		{operation.OverallTimeout, "overallTimeout", "failed", 400, 8532, "unknown", "unspecifiedError"},
		{operation.NoMatch, "noMatch", "failed", 400, 8534, "unknown", "unspecifiedError"},
		{operation.KeyPressed, "keyPressed", "completed", 200, 8514, "completedSuccessfully", "stopToneDetected"},
	}
	for i, w := range rows {
		if int(w.r) != i+1 || !w.r.Valid() || w.r.String() != w.name || w.r.Status().String() != w.status ||
			w.r.Code() != w.code || w.r.Subcode() != w.subcode || w.r.Message() == "" ||
			w.r.CompletionReason(play) != w.play || w.r.CompletionReason(record) != w.record ||
			w.r.CompletionReason("own") != "" ||
			w.r.Error() != fmt.Sprintf("%s (%d/%d)", w.name, w.code, w.subcode) {
			t.Errorf("%d: %v", i, w.r.Error())
		}
	}
	if m := operation.Cancelled.Message(); m != "Action failed, the operation was cancelled." {
		t.Error(m)
	}
	if len(rows) != operation.BuiltInReasons {
		t.Errorf("%d rows, want %d", operation.BuiltInReasons, len(rows))
	}
	for none, want := range map[operation.Reason][2]string{
		0: {"no reason", "no reason"}, 255: {"Reason(255)", "Reason(255) (0/0)"},
	} {
		if none.Valid() || none.Status() != 0 || none.Code() != 0 || [2]string{none.String(), none.Error()} != want {
			t.Errorf("no reason: %v, %v; want %v", none.String(), none.Error(), want)
		}
	}
}

func TestABargeInIsAKindOfCancel(t *testing.T) {
	t.Parallel()
	if !errors.Is(operation.BargedIn, operation.Cancelled) || errors.Is(operation.Cancelled, operation.BargedIn) ||
		errors.Is(operation.CallEnded, operation.Cancelled) || !errors.Is(operation.BargedIn, operation.BargedIn) {
		t.Error("errors.Is takes one for the other")
	}
}

func TestNoReasonIsFoundWhereNoneIs(t *testing.T) {
	t.Parallel()
	if operation.ReasonOf(nil) != operation.Unspecified || operation.ReasonOf(operation.Reason(88)) != operation.Unspecified {
		t.Error("a reason was found where none is")
	}
}
